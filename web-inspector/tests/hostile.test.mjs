// What means harm gets an answer in words, runs nothing, asks nobody, and leaves a page that works.
import { seal, takeApart } from "./help/chunked.mjs";
import { ARCHIVES, EXPORTED, LIES, NAMES, SCRIPT, USELESS, climbing, endless, evil, hostileImage, longName } from "./help/hostile.mjs";
import { archive, gzipLayer, layout } from "./help/layout.mjs";
import { VIEWS, choose, expect, goTo, openReference, opened, settled, test } from "./help/page.mjs";
import { tar } from "./help/tar.mjs";

/** How long anything may take that is refused. */
const BOUND = { timeout: 30_000 };

for (const [kind, cases] of Object.entries({ LIES, ARCHIVES, EXPORTED })) {
  test.describe(kind.toLowerCase(), () => {
    for (const [name, make] of Object.entries(cases)) {
      test(name, async ({ page, site }) => {
        await page.goto(site.url);
        await choose(page, ...make());
        const alert = page.getByRole("alert").filter({ hasText: /\w/ });
        await expect(alert).toBeVisible(BOUND);
        await expect(alert).not.toContainText("undefined");
        await expect(alert).not.toContainText("[object");
        await works(page);
      });
    }
  });
}

test.describe("useless", () => {
  for (const [name, make] of Object.entries(USELESS)) {
    test(name, async ({ page, site }) => {
      await page.goto(site.url);
      await choose(page, ...make());
      await opened(page, 1, BOUND);
      await page.getByRole("button", { name: "Details", exact: true }).click();
      await expect(page.getByRole("list", { name: "Images" })).toContainText("1 layer read whole");
      await goTo(page, "Tree");
      await works(page);
    });
  }
});

test("names that mean harm are only shown", async ({ page, site }) => {
  const sides = ["old", "new"].map((tag, side) => [tag, [seal(takeApart(evil(side), 4096))]]);
  const files = layout({ ...Object.fromEntries(sides), [SCRIPT]: [gzipLayer(tar(evil(2)))] });
  await page.goto(site.url);
  await choose(page, { name: `${SCRIPT}.tar`, mimeType: "application/x-tar", buffer: archive(files) });
  await opened(page, 3);
  await expect(page.getByRole("list", { name: "Images" })).toContainText(SCRIPT);
  for (const view of Object.keys(VIEWS)) {
    await goTo(page, view);
    await settled(page);
    for (const table of await page.getByText("As a table", { exact: true }).all()) await table.click();
    await settled(page);
    // What cannot be seen, or turns round what is beside it, is written out.
    const text = await page.getByRole("main").evaluate((main) => main.innerText);
    expect(text.match(/.{0,20}[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff].{0,20}/), view).toBeNull();
    // Nothing of it became an element.
    expect(await page.locator("main img, main script, a[href^='javascript:']").count()).toBe(0);
  }
  // A path with everything in it, from the address alone.
  for (const name of NAMES.slice(0, 8)) {
    const address = new URLSearchParams({ view: "file", path: `evil/${name}` });
    await page.evaluate((hash) => (location.hash = hash), String(address));
    await expect(page.getByRole("heading", { level: 2, name: "File" })).toBeVisible();
    await settled(page);
  }
  await works(page);
});

test("addresses that mean harm", async ({ page, site }) => {
  for (const hash of [
    "view=__proto__&image=-1&other=1e999&layer=NaN&having=a.b.-1&order=9999.9999",
    `view=file&path=${encodeURIComponent(SCRIPT)}&search=${encodeURIComponent(SCRIPT)}`,
    "roundTripMs=-5&megabytesPerSecond=0&linkMode=constructor&picture=toString",
    `path=${"a/".repeat(20_000)}`,
    "%E0%A4%A",
  ]) {
    await page.goto(`${site.url}#${hash}`);
    await page.reload();
    await choose(page, "related.tar");
    await opened(page, 4);
    await expect(page.getByRole("heading", { level: 2 }).first()).toBeVisible();
    await settled(page);
  }
});

test("a reference that means harm is not asked for", async ({ page, site, watch }) => {
  for (const ref of [`registry:${SCRIPT}`, "registry:javascript:alert(1)", "registry:file:///etc/passwd", "helper:..%2f..", "nonsense:x", "registry:"]) {
    await page.goto("about:blank");
    await page.goto(`${site.url}#${new URLSearchParams({ ref })}`);
    const consent = page.getByRole("button", { name: "Open these images" });
    const refused = page.getByRole("alert").filter({ hasText: /\w/ });
    await expect(consent.or(refused).first()).toBeVisible();
    // Even when it is allowed.
    if (await consent.isVisible()) await consent.click();
    await expect(refused.first()).toBeVisible();
  }
  expect(watch.seen.filter((line) => line.startsWith("request:"))).toEqual([]);
  await works(page);
});

test("paths that climb, in a layer that is read whole", async ({ page, site }) => {
  await page.goto(site.url);
  await choose(page, ...hostileImage(gzipLayer(tar(climbing()))));
  // Either is right: to refuse them, or to show them for what they are.
  const refused = page.getByRole("alert").filter({ hasText: /\w/ });
  const shown = page.getByRole("list", { name: "Images" }).getByRole("button", { name: /^Close / });
  await expect(refused.or(shown).first()).toBeVisible(BOUND);
  await works(page);
});

test("a manifest that does not end", async ({ page, site, registry, watch }) => {
  watch.hosts.add(registry.host);
  registry.switches.manifests = "endless";
  await page.goto(site.url);
  await openReference(page, `${registry.host}/demo:v1`);
  await expect(page.getByRole("alert").filter({ hasText: /\w/ })).toContainText("longer than 4194304 bytes", BOUND);
  // What was on its way when the page had enough.
  expect(registry.log.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(32 << 20);
  await works(page);
});

test("a name of 10 MiB", async ({ page, site }) => {
  await page.goto(site.url);
  await choose(page, ...longName(10 << 20));
  await expect(page.getByRole("alert").filter({ hasText: /\w/ })).toBeVisible(BOUND);
  await works(page);
});

for (const form of ["gzip", "zstd"]) {
  test(`a layer without end can be cancelled, ${form}`, async ({ page, site }) => {
    await page.goto(site.url);
    await choose(page, ...hostileImage(endless(32, form)));
    await expect(page.getByRole("progressbar").first()).toBeVisible();
    await page.getByRole("button", { name: "Cancel" }).first().click();
    await expect(page.getByRole("progressbar")).toHaveCount(0);
    await works(page);
  });
}

/** Opens an honest image after all that, and sees its figures. */
async function works(page) {
  const before = await page.getByRole("list", { name: "Images" }).getByRole("button", { name: /^Close / }).count();
  await choose(page, "related.tar");
  await opened(page, before + 4);
  await goTo(page, "Overlap");
  await expect(page.getByRole("table").first()).toBeVisible();
}
