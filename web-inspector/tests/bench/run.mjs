// Ten large images in Chromium: how long they take to open and compare, how the pictures move, what memory it takes.
//
//   tests/bench/web [IMAGES [FILES]]      prints a table; needs `npx vite build` before
//
// Frame times are those between two calls of requestAnimationFrame while the pointer drags and the wheel turns; 16.7 ms is
// a screen's own. Memory: the heap of the page as Chromium counts it, the core's memory in the worker, and what Linux says of
// the process that runs both.
import { existsSync, readFileSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

import { LAUNCH } from "../help/chromium.mjs";
import { dist } from "../help/shingle.mjs";
import { serveStatic } from "../servers/static.mjs";
import { writeKnown } from "./known.mjs";

const [images = "10", files = "200000"] = process.argv.slice(2);
/** So that the core's memory can be seen from outside. */
const SPY = `for (const name of ["instantiate", "instantiateStreaming"]) {
  const real = WebAssembly[name];
  WebAssembly[name] = async (...given) => {
    const made = await real.apply(WebAssembly, given);
    globalThis.spied = (made.instance ?? made).exports.memory;
    return made;
  };
}\n`;
const rows = [];
const say = (what, value) => void (rows.push([what, value]), console.error(`${what}: ${value}`));

const scratch = mkdtempSync(join(tmpdir(), "shingle-bench-"));
const site = await serveStatic(dist, { change: (path, bytes) => (/worker|main-/.test(path) && path.endsWith(".js") ? Buffer.concat([Buffer.from(SPY), bytes]) : bytes) });
const browser = await chromium.launch(LAUNCH);
try {
  const path = join(scratch, "large.shingle-tocs");
  await writeKnown(path, Number(images), Number(files));
  say("exported file", `${mebibytes(statSync(path).size)} MiB for ${images} images of ${Number(files).toLocaleString("en")} files`);

  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(600_000);
  await page.goto(site.url);
  await page.getByRole("button", { name: "Open the example" }).waitFor();
  const closing = page.getByRole("list", { name: "Images" }).getByRole("button", { name: /^Close / });
  const main = page.getByRole("main");
  const seconds = async (work) => {
    const start = performance.now();
    await work();
    return `${((performance.now() - start) / 1000).toFixed(2)} s`;
  };
  const idle = () => page.waitForFunction(() => !document.querySelector("main progress"));
  const view = async (name) => {
    await page.getByRole("navigation", { name: "Views" }).getByText(name, { exact: true }).click();
    await idle();
    await main.locator("canvas[role=img]:visible, table:visible").first().waitFor();
  };

  say("open all", await seconds(async () => {
    await page.getByLabel("Choose files").setInputFiles(path);
    const fault = page.getByRole("alert");
    await closing.nth(Number(images) - 1).or(fault).first().waitFor();
    if (await fault.count()) throw new Error(await fault.innerText());
  }));
  say("overlap drawn", await seconds(() => view("Overlap")));
  say("core's memory after overlap", await coreMemory());
  say("tree drawn", await seconds(() => view("Tree")));
  say("tree: drag and wheel", await moving());
  say("tree: keyboard", await keys());
  await main.getByLabel("Picture").selectOption("Treemap");
  say("treemap: drag and wheel", await moving());
  say("layers drawn", await seconds(() => view("Layers")));
  say("layers: drag and wheel", await moving());
  say("pull forecast", await seconds(() => view("Pull")));
  say("diff of two", await seconds(() => view("Diff")));
  say("core's memory at most", await coreMemory());
  say("page's heap", await heap());
  say("process at most", await processMemory());

  /** Frame times while the pointer drags the picture to and fro and the wheel zooms in and out. */
  async function moving() {
    const picture = main.locator("canvas[role=img]").first();
    await picture.scrollIntoViewIfNeeded();
    const { x, y, width, height } = await picture.boundingBox();
    const [middle, centre] = [x + width / 2, y + Math.min(height, 600) / 2];
    await page.mouse.move(middle, centre);
    // The wheel is the page's own until the picture has the focus.
    await picture.focus();
    const looks = new Set();
    const times = await frames(async () => {
      for (let round = 0; round < 4; round += 1) {
        looks.add(String(await picture.screenshot()));
        for (let turn = 0; turn < 6; turn += 1) {
          await page.mouse.wheel(0, round % 2 === 0 ? -120 : 120);
          await page.waitForTimeout(50);
        }
        await page.mouse.down();
        for (let step = 0; step <= 40; step += 1) {
          await page.mouse.move(middle + 200 * Math.sin(step / 4), centre + 60 * Math.cos(step / 5));
          await page.waitForTimeout(16);
        }
        await page.mouse.up();
      }
    });
    if (looks.size < 2) throw new Error("the picture does not move");
    return times;
  }

  async function keys() {
    await main.locator("canvas[role=img]").first().focus();
    return frames(async () => {
      for (const key of ["ArrowDown", "ArrowRight", "ArrowRight", "ArrowDown", "Enter", "ArrowDown", "ArrowRight", "Escape"].flatMap((key) => [key, key, key])) {
        await page.keyboard.press(key);
        await page.waitForTimeout(50);
      }
    });
  }

  async function frames(work) {
    await page.evaluate(() => {
      globalThis.times = [];
      let last = performance.now();
      const tick = (now) => {
        globalThis.times.push(now - last);
        last = now;
        globalThis.ticking = requestAnimationFrame(tick);
      };
      globalThis.ticking = requestAnimationFrame(tick);
    });
    await work();
    const times = await page.evaluate(() => (cancelAnimationFrame(globalThis.ticking), globalThis.times));
    times.sort((one, other) => one - other);
    const at = (part) => times[Math.min(times.length - 1, Math.floor(part * times.length))].toFixed(1);
    return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(1)} ms, ${times.length} frames`;
  }

  async function coreMemory() {
    for (const worker of page.workers()) {
      const bytes = await worker.evaluate(() => globalThis.spied?.buffer.byteLength);
      if (bytes) return `${mebibytes(bytes)} MiB`;
    }
    return "unknown";
  }

  async function heap() {
    const session = await page.context().newCDPSession(page);
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize, totalSize } = await session.send("Runtime.getHeapUsage");
    return `${mebibytes(usedSize)} MiB used, ${mebibytes(totalSize)} MiB kept`;
  }

  async function processMemory() {
    const session = await browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const renderers = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
    const peaks = renderers.map((id) => {
      const status = existsSync(`/proc/${id}/status`) ? readFileSync(`/proc/${id}/status`, "utf8") : "";
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    });
    return `${Math.round(Math.max(0, ...peaks))} MiB`;
  }
} finally {
  await browser.close();
  site.close();
  rmSync(scratch, { recursive: true, force: true });
  const wide = Math.max(...rows.map(([what]) => what.length));
  for (const [what, value] of rows) console.log(`${what.padEnd(wide)}  ${value}`);
}

function mebibytes(bytes) {
  return (bytes / (1 << 20)).toFixed(0);
}
