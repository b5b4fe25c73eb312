#!/usr/bin/env node
// Makes many plans in one Chromium: reads lines such as ["plan","oci:DIR:TAG","--given","oci:DIR","--full"] from its
// input, the arguments of ../node/pull.mjs, and answers each with a line. The page's own worker plans; a server on loopback
// gives it the layouts. The first plan that fails ends it.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { layoutOf, parse } from "../node/arguments.mjs";
import { openPage } from "../node/test/help/chromium.mjs";
import { npm } from "../node/test/help/fixtures.mjs";
import { serve } from "../node/test/help/server.mjs";

const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
if (!chromium) throw new Error("there is no Chromium");
const here = fileURLToPath(new URL(".", import.meta.url));
const mounts = [
  ["/core/", `${npm}/full`],
  ["/image.mjs", `${here}../node/image.mjs`],
  ["/plan.mjs", `${here}../node/plan.mjs`],
  ["/", here],
];
const layouts = new Map();
const server = await serve(mounts);
const page = await openPage(chromium, `${server.url}/`);

/** What the worker needs to know of an image; its layout is served from now on. */
function served(ref) {
  const { dir, tag } = layoutOf(ref) ?? {};
  if (dir === undefined) throw new Error(`${ref}: the page can only ask its own server; expected oci:DIR[:TAG]`);
  if (!layouts.has(dir)) {
    layouts.set(dir, `/layouts/${layouts.size}/`);
    mounts.unshift([layouts.get(dir), resolve(dir)]);
  }
  return { ref, layout: `${server.url}${layouts.get(dir)}`, tag };
}

try {
  await page.run(`globalThis.planned = (question) => new Promise((done, fail) => {
    const worker = (globalThis.planner ??= new Worker("${server.url}/worker.js", { type: "module" }));
    worker.onmessage = ({ data: { answer, error } }) => (error ? fail(new Error(error)) : done(answer));
    worker.onerror = () => fail(new Error("the worker could not be started"));
    worker.postMessage(question);
  })`);
  for await (const line of createInterface({ input: process.stdin })) {
    const { command, ref, given, full, policy } = parse(JSON.parse(line));
    if (command !== "plan") throw new Error("the page plans only");
    const question = { image: served(ref), given: given.map(served), full, policy };
    console.log(await page.run(`planned(${JSON.stringify(question)})`));
  }
} finally {
  await page.close();
  server.close();
}
