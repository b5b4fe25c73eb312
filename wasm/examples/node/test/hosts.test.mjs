// Node, Chromium and the command print the same plan, byte for byte; and what node pulls is right.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";

import { openPage } from "./help/chromium.mjs";
import { demo, digestOf, gzipLayout, npm, root, zooLayout } from "./help/fixtures.mjs";
import { serve } from "./help/server.mjs";

const run = promisify(execFile);
const pull = `${root}wasm/examples/node/pull.mjs`;
const shingle = process.env.SHINGLE;
const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

const node = async (...args) => (await run(process.execPath, [pull, ...args], { maxBuffer: 1 << 28 })).stdout;

/** Everything that differs in how it is planned. */
const cases = [
  [`oci:${demo}:v1`],
  [`oci:${demo}:v2`, "--given", `oci:${demo}:v1`, "--full"],
  [`oci:${zooLayout}`, "--full"],
  [`oci:${gzipLayout}`],
  [`oci:${demo}:v2`, "--given", `oci:${gzipLayout}`, "--given", `oci:${demo}:v1`],
];

test("node plans as the command does", { skip: shingle ? false : "SHINGLE names no binary" }, async () => {
  for (const args of cases) {
    const { stdout } = await run(shingle, ["plan", "--json", ...args], { maxBuffer: 1 << 28 });
    assert.equal(await node("plan", ...args), stdout, args.join(" "));
  }
});

test("chromium plans as node does", { skip: chromium ? false : "no chromium", timeout: 120_000 }, async () => {
  const server = await serve([
    ["/core/", `${npm}/full`],
    ["/image.mjs", `${root}wasm/examples/node/image.mjs`],
    ["/plan.mjs", `${root}wasm/examples/node/plan.mjs`],
    ["/layouts/demo/", demo],
    ["/", `${root}wasm/examples/browser`],
  ]);
  const page = await openPage(chromium, `${server.url}/`);
  try {
    const layout = "layouts/demo/";
    const image = { layout, tag: "v2", ref: `oci:${demo}:v2` };
    const question = { image, given: [{ layout, tag: "v1" }], full: true };
    const answer = await page.run(`import("./page.js").then(({ ask }) => new Promise((done, fail) => {
      const state = document.getElementById("state");
      new MutationObserver(() => {
        if (state.textContent === "Planned.") setTimeout(() => done(document.getElementById("plan").textContent));
        else if (state.textContent !== "Planning…") fail(new Error(state.textContent));
      }).observe(state, { childList: true });
      ask(${JSON.stringify(question)});
    }))`);
    assert.equal(`${answer}\n`, await node("plan", ...cases[1]));
    // Only ranges of the layers were read.
    const layers = server.asked.filter(({ path, range }) => path.includes("/blobs/") && range);
    assert.ok(layers.length >= 2);
    // Nothing was asked of anybody else, and the policy let everything through that was asked.
    for (const { method, params } of page.events) {
      if (method === "Network.requestWillBeSent") assert.ok(params.request.url.startsWith(server.url), params.request.url);
      assert.notEqual(params.entry?.source, "security", params.entry?.text);
    }
  } finally {
    await page.close();
    server.close();
  }
});

test("node pulls by file, twice, from a layout", async () => {
  await inStore(async (store) => {
    await node("pull", `oci:${demo}:v1`, "--store", store);
    const second = await node("pull", `oci:${demo}:v2`, "--store", store);
    assert.match(second, /: present\n/);
    const [, fetched, size] = /: (\d+) of (\d+) bytes fetched/.exec(second);
    assert.ok(Number(fetched) < Number(size) / 5, second);
    assert.equal(await node("pull", `oci:${demo}:v2`, "--store", store), second.replace(/: \d+ of .*/, ": present"));
    checkObjects(store);
  });
});

test("node pulls a layer without a TOC whole, and then has all of it", async () => {
  await inStore(async (store) => {
    assert.match(await node("pull", `oci:${gzipLayout}`, "--store", store), /: whole: no table of contents/);
    checkObjects(store);
    assert.match(await node("pull", `oci:${zooLayout}`, "--store", store), /: present/);
  });
});

test("node pulls over HTTP, and a server without ranges is no obstacle", async () => {
  const index = JSON.parse(readFileSync(`${demo}/index.json`));
  const { digest } = index.manifests.find(({ annotations }) => Object.values(annotations).includes("v2"));
  const blobs = `${demo}/blobs/sha256/`;
  const outputs = [];
  for (const ranges of [true, false]) {
    const server = await serve(
      [
        ["/v2/demo/manifests/v2", `${blobs}${digest.slice(7)}`],
        ["/v2/demo/manifests/sha256:", blobs],
        ["/v2/demo/blobs/sha256:", blobs],
      ],
      { ranges },
    );
    await inStore(async (store) => {
      outputs.push(await node("pull", `${server.url}/demo:v2`, "--store", store));
      checkObjects(store);
    });
    assert.equal(server.asked.some(({ range }) => range), true);
    server.close();
  }
  assert.equal(outputs[0], outputs[1]);
});

test("a layer that lies is refused with status 1, and leaves nothing", async () => {
  await inStore(async (store) => {
    const bent = `${store}/bent`;
    await run("cp", ["-r", zooLayout, bent]);
    const index = JSON.parse(readFileSync(`${bent}/index.json`));
    const blob = (digest) => `${bent}/blobs/sha256/${digest.slice(7)}`;
    const { layers } = JSON.parse(readFileSync(blob(index.manifests[0].digest)));
    const bytes = readFileSync(blob(layers[0].digest));
    bytes[1000] ^= 1;
    writeFileSync(blob(layers[0].digest), bytes);
    const failed = await node("pull", `oci:${bent}`, "--store", store).catch((error) => error);
    assert.equal(failed.code, 1, failed.stderr);
    assert.match(failed.stderr, /FetchError: /);
    assert.deepEqual(readdirSync(`${store}/objects`), []);
    assert.deepEqual(readdirSync(store).filter((name) => name.startsWith("staging")), []);
  });
});

async function inStore(use) {
  const store = mkdtempSync(join(tmpdir(), "shingle-node-"));
  try {
    await use(store);
  } finally {
    rmSync(store, { recursive: true });
  }
}

function checkObjects(store) {
  const names = readdirSync(`${store}/objects`);
  assert.ok(names.length > 5);
  for (const name of names) assert.equal(digestOf(readFileSync(`${store}/objects/${name}`)), name.replace("-", ":"));
}
