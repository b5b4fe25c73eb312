// Writes the pictures of docs/img: node tests/screenshots.mjs [NAME...]. Look at each before it is committed.
import { mkdirSync, statSync } from "node:fs";
import { chromium } from "playwright-core";

import { LAUNCH } from "./help/chromium.mjs";
import { dist, root } from "./help/shingle.mjs";
import { serveStatic } from "./servers/static.mjs";

const WIDE = { width: 1280, height: 860 };
const TALL = { width: 1280, height: 1240 };
const MOBILE = { width: 360, height: 740 };
/** The example is so small that over most links one request for everything costs least. */
const SLOW = { roundTripMs: "1", megabytesPerSecond: "1" };
const MOST = 200_000;
/** Each picture: what the address says of it, how the screen is, what is done before. */
const PICTURES = {
  "inspector-start": { screen: WIDE, closed: true },
  "inspector-overlap": { state: { view: "overlap" }, screen: WIDE },
  "inspector-tree-dark": { state: { view: "tree", image: "1" }, screen: WIDE, dark: true },
  "inspector-layers": { state: { view: "layers", image: "1", layer: "2", having: "0", ...SLOW }, screen: TALL },
  "inspector-pull": { state: { view: "pull", having: "0", ...SLOW }, screen: TALL },
  "inspector-file-dark": { state: { view: "file", image: "1", path: "srv/shop/catalog.sql" }, screen: WIDE, dark: true },
  "inspector-diff": { state: { view: "diff", image: "0", other: "1" }, screen: WIDE },
  "inspector-mobile": { state: { view: "overlap" }, screen: MOBILE },
  "inspector-mobile-dark": { state: { view: "tree", image: "1" }, screen: MOBILE, dark: true },
};

const wanted = process.argv.slice(2);
const folder = `${root}docs/img`;
mkdirSync(folder, { recursive: true });
const site = await serveStatic(dist);
const browser = await chromium.launch(LAUNCH);
try {
  for (const [name, { state, screen, dark, closed }] of Object.entries(PICTURES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const page = await browser.newPage({ viewport: screen, colorScheme: dark ? "dark" : "light", reducedMotion: "reduce" });
    await page.goto(`${site.url}#${new URLSearchParams(state)}`);
    const example = page.getByRole("button", { name: "Open the example" });
    await example.waitFor();
    if (!closed) {
      await example.click();
      await page.getByRole("list", { name: "Images" }).getByRole("listitem").nth(1).waitFor();
      await page.waitForFunction(() => !document.querySelector("main progress"));
      await page.getByRole("main").getByRole("heading", { level: 2 }).first().waitFor();
    }
    await page.waitForTimeout(500);
    await page.mouse.move(0, 0);
    await page.evaluate(() => document.activeElement?.blur());
    const path = `${folder}/${name}.png`;
    await page.screenshot({ path });
    const { size } = statSync(path);
    console.log(`${name}: ${size} bytes`);
    if (size > MOST) throw new Error(`${path} has more than ${MOST} bytes`);
    await page.close();
  }
} finally {
  await browser.close();
  site.close();
}
