// The address is the whole of what is shown: reloaded, shared, gone back to, it shows the same.
import { VIEWS, expect, follow, goTo, opened, settled, test } from "./help/page.mjs";

const refs = (registry, ...tags) => tags.map((tag) => ["ref", `registry:${registry.host}/related:${tag}`]);

/** What a person sees of the state: the view, what is chosen and ticked, and the figures. */
async function shown(page) {
  await settled(page);
  return page.evaluate(() => ({
    current: document.querySelector('nav[aria-label="Views"] [aria-current=page]')?.textContent,
    heading: document.querySelector("main h2")?.textContent,
    controls: [...document.querySelectorAll("main :is(select, input:not([type=file]))")]
      .filter((element) => !element.closest('[aria-label="Open images"]'))
      .map((element) => [element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent, element.type === "checkbox" || element.type === "radio" ? element.checked : element.value]),
    images: [...document.querySelectorAll('[aria-label="Images"] li')].map((element) => element.textContent),
    tables: [...document.querySelectorAll("main table")].map((element) => element.textContent),
  }));
}

const STATES = {
  overlap: { view: "overlap", measure: "logical" },
  tree: { view: "tree", image: "1", measure: "logical", picture: "treemap", path: "etc" },
  "a search": { view: "tree", image: "1", search: "lib" },
  layers: { view: "layers", image: "1", layer: "1" },
  pull: { view: "pull", having: "0", order: "1.0", roundTripMs: "55", megabytesPerSecond: "3", linkMode: "copy" },
  file: { view: "file", image: "0", path: "var/database" },
  diff: { view: "diff", image: "1", other: "0" },
};

for (const [name, state] of Object.entries(STATES)) {
  test(`${name}: a reload shows the same`, async ({ page, site, registry, watch }) => {
    watch.hosts.add(registry.host);
    const address = new URLSearchParams([...refs(registry, "old", "new"), ...Object.entries(state)]);
    await follow(page, `${site.url}#${address}`);
    await opened(page, 2);
    await expect(page.getByRole("navigation", { name: "Views" }).locator("[aria-current=page]")).toHaveText(new RegExp(state.view, "i"));
    const before = await shown(page);
    // What the page makes of an address is that address.
    const kept = new URLSearchParams(new URL(page.url()).hash.slice(1));
    for (const [key, value] of Object.entries(state)) {
      if (!["overlap", "0"].includes(value) || key === "having") expect(kept.get(key), key).toBe(value);
    }
    await page.reload();
    await opened(page, 2);
    await expect.poll(() => shown(page)).toEqual(before);
  });
}

test("back and forward lead through what was shown", async ({ page, site, registry, watch }) => {
  watch.hosts.add(registry.host);
  await follow(page, `${site.url}#${new URLSearchParams(refs(registry, "old", "new"))}`);
  await opened(page, 2);
  const seen = [];
  for (const view of Object.keys(VIEWS)) {
    await goTo(page, view);
    seen.push({ url: page.url(), shown: await shown(page) });
  }
  const asked = registry.log.length;
  for (const { url, shown: before } of seen.slice(0, -1).reverse()) {
    await page.goBack();
    await expect(page).toHaveURL(url);
    await expect.poll(() => shown(page)).toEqual(before);
  }
  for (const { url, shown: before } of seen.slice(1)) {
    await page.goForward();
    await expect(page).toHaveURL(url);
    await expect.poll(() => shown(page)).toEqual(before);
  }
  expect(registry.log.length, "images are not fetched again").toBe(asked);
});

test("an address opened in another browser shows the same", async ({ page, site, registry, watch, browser }) => {
  watch.hosts.add(registry.host);
  await follow(page, `${site.url}#${new URLSearchParams([...refs(registry, "old", "new"), ["view", "diff"], ["image", "1"], ["other", "0"]])}`);
  await opened(page, 2);
  const before = await shown(page);
  const context = await browser.newContext({ viewport: page.viewportSize() });
  const other = await context.newPage();
  await follow(other, page.url());
  await opened(other, 2);
  await expect.poll(() => shown(other)).toEqual(before);
  await context.close();
});
