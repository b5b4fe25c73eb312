#!/usr/bin/env node
// Plans and pulls container images by file. The core decides and proves; this program reads, writes and prints.
//
//   node pull.mjs plan REF [--given REF]... [--full] [--trust diffid|toc]
//   node pull.mjs pull REF --store DIR [--trust diffid|toc]
//
// REF is `oci:DIR[:TAG]` or `http://HOST:PORT/REPO:TAG`. The store keeps each content once, by its digest, and the TOC of
// each layer; what it holds is not fetched again.
import * as core from "@shingle/core";
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, open, readFile, readdir, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { layoutOf, parse } from "./arguments.mjs";
import { openLayout, openRegistry } from "./image.mjs";
import { openToc, planImage, readWhole } from "./plan.mjs";

const sha256 = async (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Opens the image that a reference names. */
export async function openImage(ref) {
  const layout = layoutOf(ref);
  if (!layout) return openRegistry(core, ref, sha256);
  const { dir, tag } = layout;
  const get = (path, range) => {
    // `end` is the last byte here, not the one after it.
    const options = range ? { start: range.start, end: range.end - 1 } : {};
    return createReadStream(join(dir, path), options);
  };
  return openLayout(ref, tag, get, sha256);
}

/** A folder of contents by digest, and of the TOCs of the layers that they came with. */
class Store {
  constructor(dir) {
    this.objects = join(dir, "objects");
    this.tocs = join(dir, "tocs");
    this.dir = dir;
  }

  static async open(dir) {
    const store = new Store(dir);
    await mkdir(store.objects, { recursive: true });
    await mkdir(store.tocs, { recursive: true });
    return store;
  }

  object(digest) {
    return join(this.objects, digest.replace(":", "-"));
  }

  toc(diffId) {
    return join(this.tocs, diffId.replace(":", "-"));
  }

  async inventory() {
    const inventory = new core.Inventory();
    for (const name of await readdir(this.tocs)) {
      const toc = core.Toc.fromStored(await readFile(join(this.tocs, name)));
      inventory.addToc(toc);
      toc.free();
    }
    return inventory;
  }

  /** Lets `make` fill a folder with contents, and keeps them if it returns a proof. */
  async stage(make) {
    const staging = await mkdtemp(join(this.dir, "staging-"));
    try {
      const proof = await make(staging);
      const toc = proof.toc();
      for (const name of await readdir(staging)) {
        // The proof says that the entry has this digest, so the file may have its name.
        const [entry] = toc.entries(Number(name), 1);
        await rename(join(staging, name), this.object(entry.digest));
      }
      // Last: who finds the TOC finds the contents.
      await writeFile(this.toc(proof.digest()), toc.toStored());
    } finally {
      await rm(staging, { recursive: true });
    }
  }
}

/** Pulls one layer into the store, and returns a line about it. */
async function pullLayer(image, layer, store, policy) {
  if (existsSync(store.toc(layer.diffId))) return "present";
  const { basis, why, read } = await openToc(core, image, layer, policy);
  const inventory = await store.inventory();
  const decision = basis ? core.decide(basis, inventory, policy) : { tag: "whole", val: why };
  if (decision.tag === "whole") {
    await store.stage((staging) => wholeLayer(image, layer, staging));
    return `whole: ${decision.val.message}`;
  }
  const { requestBytes, files, fetched } = decision.val.summary();
  await store.stage((staging) => partialLayer(image, layer, basis, decision.val, store, staging));
  return `${read.bytes + requestBytes} of ${layer.size} bytes fetched, for ${fetched} of ${files} files`;
}

async function wholeLayer(image, layer, staging) {
  let file;
  return readWhole(core, image, layer, async ({ tag, val }) => {
    if (tag === "begin") {
      file = await open(join(staging, String(val.file)), "w");
      await file.truncate(val.size);
    } else if (tag === "data") {
      await file.write(val.bytes, 0, val.bytes.length, val.offset);
    } else {
      await file.close();
    }
  });
}

async function partialLayer(image, layer, basis, plan, store, staging) {
  const toc = basis.toc();
  const path = (file) => join(staging, String(file));
  const write = async (file, bytes, offset) => {
    const handle = await open(path(file), "r+");
    await handle.write(bytes, 0, bytes.length, offset);
    await handle.close();
  };
  // What donors hold whole needs nothing done: contents are kept by digest. The rest is put together.
  const staged = new Map();
  for (const { file, source } of plan.files(0, toc.len())) {
    if (source.tag !== "assembled") continue;
    const [{ size, digest }] = toc.entries(file, 1);
    staged.set(digest, path(file));
    await writeFile(path(file), "");
    await truncate(path(file), size);
    for (const { offset, object, objectOffset, len } of source.val.donated) {
      let at = offset;
      const piece = { start: objectOffset, end: objectOffset + len - 1 };
      for await (const bytes of createReadStream(store.object(object), piece)) {
        await write(file, bytes, at);
        at += bytes.length;
      }
    }
  }
  // One request after the other, so that this can be read; several at once are several of these loops.
  const { ledger, fetches } = plan.start();
  for (const fetch of fetches) {
    for (let tries = 0; tries < 3; tries += 1) {
      const owed = fetch.remaining();
      if (owed.start === owed.end) break;
      for await (const bytes of image.read(layer, owed)) {
        for (const chunk of fetch.receive(bytes)) await write(chunk.file, chunk.bytes, chunk.offset);
      }
    }
    ledger.credit(fetch.finish());
  }
  // Only what is read back from the disk is proven.
  const check = basis.check(plan);
  for (let file = check.wants(); file !== undefined; file = check.wants()) {
    const [{ digest }] = toc.entries(file, 1);
    for await (const bytes of createReadStream(staged.get(digest) ?? store.object(digest))) check.receive(bytes);
  }
  return check.finish(ledger.close(), layer.diffId);
}

async function main() {
  const { command, ref, given, full, store, policy } = parse(process.argv.slice(2));
  const image = await openImage(ref);
  if (command === "plan") {
    const others = [];
    for (const other of given) others.push(await openImage(other));
    console.log(JSON.stringify(await planImage(core, image, others, { full, policy })));
    return;
  }
  const kept = await Store.open(store);
  for (const layer of image.layers) {
    console.log(`${layer.diffId}: ${await pullLayer(image, layer, kept, policy)}`);
  }
}

await main().catch((error) => {
  // Lies have a status of their own, as in `shingle`.
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = error.lie ? 1 : 2;
});
