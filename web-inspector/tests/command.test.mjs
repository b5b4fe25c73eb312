// The page with the command: served by `shingle inspect --web`, and opening what `shingle inspect --export` wrote.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { figures, fileOf } from "./help/export.mjs";
import { ZOO_GZIP, made } from "./help/images.mjs";
import { VIEWS, choose, expect, goTo, openFiles, opened, settled, test as base } from "./help/page.mjs";
import { shingle, told } from "./help/shingle.mjs";
import { serveHelper } from "./servers/helper.mjs";

const test = base.extend({
  /** Starts the command, and ends it after the test. */
  helper: async ({ watch: _watch }, use) => {
    const running = [];
    await use(async (refs, ...options) => {
      const helper = await serveHelper(refs, ...options);
      running.push(helper);
      return helper;
    });
    for (const helper of running) await helper.close();
  },
});

const refs = (layout, ...tags) => tags.map((tag) => `oci:${made(layout)}:${tag}`);

/** Figures without what depends on how images came. */
function shared({ images, matrix, distinct, distinctChunks, order }) {
  return { matrix, distinct, distinctChunks, order, images: images.map(({ digest, platform, files, unique, uniqueChunks }) => ({ digest, platform, files, unique, uniqueChunks })) };
}

test.describe("served by the command", () => {
  test("the images that it was asked for are open in every view", async ({ page, helper }) => {
    const { url } = await helper(refs("related", "old", "new"));
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(url);
    await opened(page, 2);
    for (const view of Object.keys(VIEWS)) {
      await goTo(page, view);
      await settled(page);
      await expect(page.getByRole("main").getByRole("alert")).toHaveCount(0);
    }
    await goTo(page, "Overlap");
    const { matrix } = await figures(page);
    const command = await told("overlap", ...refs("related", "old", "new"));
    expect(matrix.chunks).toEqual(command.matrix.chunks.flat());
    // Everything lies below the address that nobody can guess.
    expect(asked.filter((one) => !one.startsWith(url) && !one.startsWith("blob:"))).toEqual([]);
  });

  test("a registry that lets no page ask, and wants a token, is read through it: tables of contents alone", async ({ page, helper, registry }) => {
    Object.assign(registry.switches, { cors: false, token: true });
    const { url } = await helper([`${registry.host}/demo:v1`, `${registry.host}/demo:v2`], "--tls-verify=false");
    await page.goto(url);
    await opened(page, 2);
    await goTo(page, "Overlap");
    const { images, read } = await told("overlap", ...refs("demo", "v1", "v2"));
    const layers = images.flatMap(({ layers }) => layers.map(({ blob }) => blob));
    expect(registry.sent(layers).bytes).toBe(read.bytes);
    const { matrix } = await figures(page);
    const command = await told("overlap", ...refs("demo", "v1", "v2"));
    expect(matrix.files).toEqual(command.matrix.files.flat());
  });

  test("a layer without a table of contents", async ({ page, helper, registry }) => {
    registry.switches.cors = false;
    const { url } = await helper([`${registry.host}/zoo/gzip:zoo`, ...refs("zoo", "zoo")], "--tls-verify=false");
    await page.goto(url);
    await opened(page, 2);
    await goTo(page, "Overlap");
    const { matrix } = await figures(page);
    const command = await told("overlap", `oci:${ZOO_GZIP}:zoo`, ...refs("zoo", "zoo"));
    expect(matrix.files.map(({ logical }) => logical)).toEqual(command.matrix.files.flat().map(({ logical }) => logical));
  });

  test("an address with its references shows the same after a reload", async ({ page, helper }) => {
    const { url } = await helper(refs("related", "old", "new"));
    await page.goto(url);
    await opened(page, 2);
    await goTo(page, "Diff");
    expect(new URLSearchParams(new URL(page.url()).hash.slice(1)).getAll("ref")).toEqual(refs("related", "old", "new").map((ref) => `helper:${ref}`));
    await page.reload();
    await opened(page, 2);
    await expect(page.getByRole("heading", { level: 2, name: "Difference" })).toBeVisible();
  });

  test("an image that it was not started with is refused in words", async ({ page, helper, watch }) => {
    watch.expects(/console: Failed to load resource.* 40[34]/);
    const { url } = await helper(refs("related", "old"));
    await page.goto(`${url}#${new URLSearchParams({ ref: `helper:${refs("related", "new")[0]}` })}`);
    await expect(page.getByRole("main").getByRole("alert")).toContainText(/related:new/);
  });

  test("what is gone meanwhile is said", async ({ page, helper, registry, watch }) => {
    watch.expects(/console: Failed to load resource/);
    const { url } = await helper([`${registry.host}/demo:v9`], "--tls-verify=false");
    await page.goto(url);
    await expect(page.getByRole("main").getByRole("alert")).toContainText(/v9/);
  });

  test("when the command ends, the page keeps what it has", async ({ page, helper, watch }) => {
    watch.expects(/console: Failed to load resource.*ERR_CONNECTION_REFUSED/);
    const { url, close } = await helper(refs("related", "old", "new"));
    await page.goto(url);
    await opened(page, 2);
    await settled(page);
    await close();
    await goTo(page, "Tree");
    await settled(page);
    await expect(page.getByRole("main").locator("canvas[role=img]").first()).toBeVisible();
  });

  test("no other page reaches it, and no address but its own", async ({ page, helper, site, watch }) => {
    watch.expects(/console: /, /request: /, /policy: /);
    const { url } = await helper(refs("related", "old"));
    const { origin, pathname } = new URL(url);
    // From another origin, as any page in the browser might.
    await page.goto(site.url);
    for (const mode of ["cors", "no-cors"]) {
      const read = await page.evaluate(
        async ([url, mode]) => fetch(`${url}api/session`, { mode }).then((answer) => answer.text(), (error) => `refused: ${error.name}`),
        [url, mode],
      );
      expect(read, mode).toMatch(/^(refused: TypeError)?$/);
    }
    // By hand: the wrong address, a name that leads to loopback, another method.
    for (const [path, options] of [["/", {}], ["/0123456789abcdef0123456789abcdef/", {}], [`${pathname}../`, {}], [`${pathname.slice(0, -2)}/`, {}]]) {
      const answer = await fetch(`${origin}${path}`, options);
      expect(answer.status, path).toBe(404);
      expect(await answer.text(), path).not.toMatch(/shingle/i);
    }
    const rebound = await page.request.get(`${url}api/session`, { headers: { host: "attacker.example" } });
    expect(rebound.status()).toBeGreaterThanOrEqual(400);
    const posted = await fetch(`${url}api/session`, { method: "POST", body: "{}" });
    expect(posted.status).toBeGreaterThanOrEqual(400);
    const crossed = await fetch(`${url}api/session`, { headers: { "sec-fetch-site": "cross-site" } });
    expect(crossed.status).toBeGreaterThanOrEqual(400);
    // And its own is as strict as it says.
    const own = await fetch(url);
    expect(own.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(own.headers.get("x-content-type-options")).toBe("nosniff");
    expect(own.headers.get("access-control-allow-origin")).toBe(null);
  });
});

test.describe("exported files", () => {
  test("what the command exports opens in the page, with the same figures", async ({ page, site }) => {
    const folder = mkdtempSync(join(tmpdir(), "shingle-exported-"));
    try {
      const path = join(folder, "related.shingle-tocs");
      await shingle("inspect", "--export", path, ...refs("related", "old", "new", "gzip", "plain"));
      await page.goto(site.url);
      await choose(page, { name: "related.shingle-tocs", mimeType: "application/gzip", buffer: readFileSync(path) });
      await opened(page, 4);
      await goTo(page, "Overlap");
      const { matrix } = await figures(page);
      const command = await told("overlap", ...refs("related", "old", "new", "gzip", "plain"));
      expect(matrix.chunks).toEqual(command.matrix.chunks.flat());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("what the page saves opens again, with the same figures", async ({ page, site }) => {
    await openFiles(page, site, ["related.tar"], 4);
    await goTo(page, "Overlap");
    const before = await figures(page);
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save what is known" }).click();
    const { name, bytes } = await fileOf(await saved);
    expect(name).toMatch(/\.shingle-tocs$/);
    await page.reload();
    await choose(page, { name, mimeType: "application/gzip", buffer: bytes });
    await opened(page, 4);
    await goTo(page, "Overlap");
    expect(shared(await figures(page))).toEqual(shared(before));
    // Pulls, too: exported layers still know where their frames lie.
    await goTo(page, "Pull");
    await settled(page);
    const { pulls } = await figures(page);
    expect(pulls.length).toBe(4);
    await goTo(page, "Layers");
    await settled(page);
    await expect(page.getByRole("main").getByRole("alert")).toHaveCount(0);
  });
});
