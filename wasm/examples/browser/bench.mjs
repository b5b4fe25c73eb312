#!/usr/bin/env node
// Times a build of the package in Chromium: node bench.mjs PACKAGE_DIR oci:DIR[:TAG] [RUNS]. See ../node/speed.mjs for what
// is timed. Page, package and blob come from a server on loopback, under the policy that help/server.mjs sends.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { entry, firstLayer } from "../node/layer.mjs";
import { openPage } from "../node/test/help/chromium.mjs";
import { serve } from "../node/test/help/server.mjs";

const [folder, ref, runs = "3"] = process.argv.slice(2);
const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
if (!chromium) throw new Error("there is no Chromium");
const here = fileURLToPath(new URL(".", import.meta.url));
const { layer, path } = await firstLayer(ref);
const server = await serve([
  ["/core/", folder],
  ["/speed.mjs", `${here}../node/speed.mjs`],
  ["/blob", path],
  ["/", here],
]);
const page = await openPage(chromium, `${server.url}/`);
try {
  const question = { script: new URL(entry(folder).script, `${server.url}/core/`).href, layer, runs: Number(runs) };
  const answer = await page.run(`new Promise((done, fail) => {
    const worker = new Worker("${server.url}/bench-worker.js", { type: "module" });
    worker.onmessage = ({ data: { answer, error } }) => (error ? fail(new Error(error)) : done(answer));
    worker.onerror = () => fail(new Error("the worker could not be started"));
    worker.postMessage(${JSON.stringify(question)});
  })`);
  console.log(JSON.stringify(answer));
} finally {
  await page.close();
  server.close();
}
