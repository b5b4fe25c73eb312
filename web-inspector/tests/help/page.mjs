// The page for a test, on a server of its own, and watched: whatever it says, asks or trips over is a failure unless the test
// expects it.
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test as base } from "@playwright/test";

import { serveRegistry } from "../servers/registry.mjs";
import { serveStatic } from "../servers/static.mjs";
import { DEMO, ZOO, ZOO_GZIP, made } from "./images.mjs";
import { dist } from "./shingle.mjs";

export { expect };

export const test = base.extend({
  /** Below which path the page is served. */
  prefix: ["/", { option: true }],

  /** The static server. */
  site: async ({ prefix }, use) => {
    const site = await serveStatic(dist, { prefix });
    await use(site);
    site.close();
  },

  /** A registry with the fixtures in it. */
  registry: async ({}, use) => {
    const registry = await serveRegistry({ demo: DEMO, zoo: ZOO, "zoo/gzip": ZOO_GZIP, related: made("related") });
    await use(registry);
    registry.close();
  },

  /** What must not happen; `expects` takes patterns of what may, `hosts` where the page may ask beside its own server. */
  watch: [
    // The servers are named here so that they end after the page was judged.
    async ({ page, context, site: _site, registry: _registry }, use) => {
      const seen = [];
      const expected = [];
      const watch = {
        seen,
        hosts: new Set(),
        expects: (...patterns) => void expected.push(...patterns),
        origin: undefined,
      };
      page.on("dialog", (dialog) => (seen.push(`dialog: ${dialog.message()}`), void dialog.dismiss()));
      page.on("pageerror", (error) => void seen.push(`error: ${error.stack ?? error}`));
      page.on("crash", () => void seen.push("crash"));
      page.on("popup", (popup) => void seen.push(`popup: ${popup.url()}`));
      page.on("console", (said) => {
        if (said.type() === "error" || said.type() === "warning") seen.push(`console: ${said.text()} ${said.location().url}`);
      });
      context.on("request", (request) => {
        const url = new URL(request.url());
        if (url.protocol === "blob:" || url.protocol === "data:" || url.origin === "null") return;
        watch.origin ??= url.origin;
        if (url.origin !== watch.origin && !watch.hosts.has(url.host)) seen.push(`request: ${request.url()}`);
      });
      await page.exposeBinding("tellViolation", (_, text) => void seen.push(`policy: ${text}`));
      await page.addInitScript(() => {
        document.addEventListener("securitypolicyviolation", (event) =>
          globalThis.tellViolation(`${event.violatedDirective} ${event.blockedURI}`),
        );
      });
      await use(watch);
      if (!page.isClosed()) expect(await page.evaluate(() => globalThis.__xss).catch(() => undefined), "a script ran").toBeUndefined();
      expect(seen.filter((line) => !expected.some((pattern) => pattern.test(line)))).toEqual([]);
    },
    { auto: true },
  ],
});

/** The six views: what the link says, and what the heading says. */
export const VIEWS = {
  Overlap: "What the images share",
  Tree: "Tree",
  Layers: "Layers",
  Pull: "Pull simulator",
  File: "File",
  Diff: "Difference",
};

/** Shows the region in which images are opened, if it is folded away. */
async function unfold(page) {
  const more = page.getByRole("button", { name: "Open more images" });
  const region = page.getByRole("region", { name: "Open images" });
  await expect(more.or(region).first()).toBeVisible();
  if (!(await region.isVisible())) await more.click();
}

/** Does something where images are opened; again where that folded meanwhile, because an earlier opening was done. */
async function unfolded(page, action) {
  await expect(async () => {
    await unfold(page);
    await action();
  }).toPass({ timeout: 20_000 });
}

/** Types a reference, and opens it. */
export async function openReference(page, ref) {
  await unfolded(page, () => page.getByRole("textbox", { name: "Image reference" }).fill(ref, { timeout: 5_000 }));
  await page.getByRole("button", { name: "Open", exact: true }).click();
}

/** Goes to an address that names images, and lets the page open them. */
export async function follow(page, url) {
  await page.goto(url);
  await page.getByRole("button", { name: "Open these images" }).click();
}

/** Chooses files on the page as it is. */
export async function choose(page, ...names) {
  // Bytes go to the browser as text, which takes long: many go by way of the disk, and then all do.
  const long = names.some(({ buffer }) => buffer?.length > 1 << 20);
  const file = (name) => (typeof name === "string" ? made(name) : long ? written(name) : name);
  const files = names.map(file);
  await unfolded(page, () => page.getByLabel("Choose files").setInputFiles(files, { timeout: 5_000 }));
}

/** Writes a file to where the images are, alone in a folder. */
function written({ name, buffer }) {
  const path = join(mkdtempSync(made("chosen-")), name);
  writeFileSync(path, buffer);
  return path;
}

/** Opens the page and files in it, and waits until `count` images are there. */
export async function openFiles(page, site, names, count) {
  await page.goto(site.url);
  await choose(page, ...names);
  await opened(page, count);
}

/** Waits until so many images are in the list. */
export async function opened(page, count, options) {
  const closing = page.getByRole("list", { name: "Images" }).getByRole("button", { name: /^Close / });
  await expect(closing).toHaveCount(count, options);
}

/** Waits until nothing is asked for, or about to be: views wait a moment for more changes before they ask. */
export async function settled(page) {
  await page.waitForTimeout(250);
  await expect(page.getByRole("progressbar")).toHaveCount(0, { timeout: 30_000 });
}

/** Goes to a view, and waits for its heading. */
export async function goTo(page, view) {
  const link = page.getByRole("navigation", { name: "Views" }).getByText(view, { exact: true });
  await link.click();
  await expect(page.getByRole("heading", { level: 2, name: VIEWS[view] })).toBeVisible();
}
