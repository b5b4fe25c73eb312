// Every class of the package, on blobs that podman wrote.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";

import { builds, digestOf, zoo } from "./help/fixtures.mjs";

for (const [build, core] of await builds()) {
  test(`${build}: a layer is pulled by file, and proven`, () => {
    const { layer, blob, diffId } = zoo();
    const looked = core.look(layer, { trust: "diff-id" });
    assert.equal(looked.tag, "toc");
    const basis = opened(core, looked.val, blob);
    assert.equal(basis.trust(), "diff-id");
    const toc = basis.toc();
    const plan = core.decide(basis, new core.Inventory()).val;
    const summary = plan.summary();
    assert.equal(summary.held, 0);
    assert.ok(summary.fetched > 0 && summary.requestBytes < layer.size);

    const contents = new Map();
    for (const { file, source } of plan.files(0, toc.len())) {
      const [{ size }] = toc.entries(file, 1);
      if (source.tag === "twin") contents.set(file, contents.get(source.val.of));
      else contents.set(file, new Uint8Array(size));
    }
    const { ledger, fetches } = plan.start();
    assert.equal(fetches.length, plan.requests().length);
    for (const fetch of fetches) {
      // In pieces of 1,000 bytes, wherever frames begin.
      for (let { start, end } = fetch.remaining(); start < end; start += 1000) {
        for (const chunk of fetch.receive(blob.subarray(start, Math.min(end, start + 1000)))) {
          contents.get(chunk.file).set(chunk.bytes, chunk.offset);
        }
      }
      ledger.credit(fetch.finish());
    }
    const check = basis.check(plan);
    for (let file = check.wants(); file !== undefined; file = check.wants()) check.receive(contents.get(file));
    const verified = check.finish(ledger.close(), diffId);
    assert.equal(verified.digest(), diffId);
    assert.equal(verified.trust(), "diff-id");
    assert.equal(verified.toc().len(), toc.len());

    // What was pulled is what the digests say.
    for (const [file, bytes] of contents) assert.equal(digestOf(bytes), toc.entries(file, 1)[0].digest);
    // The next pull of the same layer fetches nothing.
    const inventory = new core.Inventory();
    inventory.addToc(core.Toc.fromStored(toc.toStored()));
    const again = core.decide(basis, inventory, {}).val.summary();
    assert.deepEqual([again.held, again.requests], [again.files, 0]);
    const [{ digest }] = toc.entries(plan.files(0, 1)[0].file, 1);
    inventory.strike(digest);
    assert.ok(core.decide(basis, inventory).val.summary().fetched > 0);
  });

  test(`${build}: columns say what entries say`, () => {
    const { layer, blob } = zoo();
    const basis = opened(core, core.look(layer).val, blob);
    const toc = basis.toc();
    const kinds = ["block", "char", "directory", "fifo", "hardlink", "regular", "symlink"];
    const columns = toc.columns();
    const entries = toc.entries(0, toc.len());
    assert.equal(columns.nameEnds.length, entries.length);
    assert.equal(toc.isEmpty(), false);
    entries.forEach((entry, index) => {
      const [from, to] = [columns.nameEnds[index - 1] ?? 0, columns.nameEnds[index]];
      assert.deepEqual(columns.names.slice(from, to), entry.name);
      assert.equal(kinds[columns.kinds[index]], entry.kind);
      assert.equal(columns.modes[index], entry.mode);
      assert.equal(columns.sizes[index], entry.size);
      assert.ok(Object.is(columns.mtimes[index], entry.mtime?.seconds ?? NaN));
      const digest = Buffer.from(columns.digests.slice(32 * index, 32 * index + 32)).toString("hex");
      assert.equal(digest, entry.digest?.slice(7) ?? "0".repeat(64));
      const chunks = toc.chunks(index);
      assert.equal(chunks.reduce((sum, chunk) => sum + chunk.len, 0), entry.digest ? entry.size : 0);
      assert.equal(columns.packed[index] > 0, chunks.some(({ body }) => body.tag === "frames"));
    });
    assert.equal(new Set(toc.wanted()).size, toc.wanted().length);
    assert.deepEqual(toc.entries(entries.length, 5), []);
    assert.equal(toc.vouched(), layer.annotations["io.github.containers.zstd-chunked.manifest-checksum"]);
    const plan = core.decide(basis, new core.Inventory()).val;
    const planned = plan.files(0, toc.len());
    assert.deepEqual([...plan.columns().files], planned.map(({ file }) => file));
    const code = ({ source: { tag, val } }) => (tag === "held" ? 2 : tag === "twin" ? 3 : val.fetched ? 0 : 1);
    assert.deepEqual([...plan.columns().sources], planned.map(code));
    assert.equal(createHash("sha256").update(basis.tarSplit()).digest("hex").length, 64);
  });

  test(`${build}: a chunk that is held inside another file is a donor`, () => {
    const { layer, blob } = zoo();
    const basis = opened(core, core.look(layer).val, blob);
    const toc = basis.toc();
    const file = toc.entries(0, toc.len()).findIndex((_, index) => toc.chunks(index).length > 1);
    const [chunk] = toc.chunks(file);
    const object = digestOf(new Uint8Array([1]));
    const inventory = new core.Inventory();
    inventory.addChunk(chunk.digest, object, 77, chunk.len);
    inventory.addFile(toc.entries(file, 1)[0].digest, 1, "0".repeat(32)); // Of another size: never taken.
    const plan = core.decide(basis, inventory).val;
    const planned = plan.files(0, toc.len()).find((planned) => planned.file === file);
    assert.deepEqual(planned.source, {
      tag: "assembled",
      val: { donated: [{ offset: 0, object, objectOffset: 77, len: chunk.len, digest: chunk.digest }], fetched: true },
    });
  });

  test(`${build}: a layer read whole has the same entries, and is proven`, () => {
    const { layer, blob, diffId } = zoo();
    const toc = opened(core, core.look(layer).val, blob).toc();
    const whole = new core.WholeFetch(true);
    const contents = new Map();
    let current;
    for (let at = 0; at < blob.length; at += 777) {
      for (const { tag, val } of whole.receive(blob.subarray(at, at + 777))) {
        if (tag === "begin") contents.set(val.file, (current = new Uint8Array(val.size)));
        if (tag === "data") current.set(val.bytes, val.offset);
        if (tag === "end") assert.equal(digestOf(contents.get(val.file)), val.digest);
      }
    }
    const { verified, tarSplit, padding } = whole.finish(layer.digest, diffId);
    assert.equal(verified.digest(), diffId);
    assert.equal(padding, 0);
    assert.ok(tarSplit.length > 0);
    const names = (toc) => toc.entries(0, toc.len()).map((entry) => Buffer.from(entry.name).toString("hex"));
    assert.deepEqual(names(verified.toc()), names(toc));
  });

  test(`${build}: what is written is read back`, () => {
    const { tar } = zoo();
    for (const format of ["zstd-chunked", "zstd", "gzip"]) {
      const writer = new core.Writer({ format });
      const pieces = [];
      for (let at = 0; at < tar.length; at += 100_000) pieces.push(writer.receive(tar.subarray(at, at + 100_000)));
      const written = writer.finish();
      const blob = Buffer.concat([...pieces, written.last]);
      assert.equal(blob.length, written.blobLen);
      assert.equal(digestOf(blob), written.blob);
      assert.equal(digestOf(tar), written.diffId);
      const looked = core.look({ mediaType: "m", size: blob.length, annotations: written.annotations });
      if (format !== "zstd-chunked") {
        assert.equal(looked.tag, "whole");
        assert.equal(looked.val.code, "no-toc");
        assert.deepEqual(looked.val.fields, { mediaType: "m" });
        continue;
      }
      assert.equal(written.plain, undefined);
      assert.ok(opened(core, looked.val, blob).toc().len() > 0);
    }
  });

  test(`${build}: the end of an eStargz leads to its TOC`, () => {
    const { layer, blob } = zoo("zoo.estargz");
    const looked = core.look(layer, { trust: "toc" });
    assert.equal(looked.tag, "tail");
    const { start, end } = looked.val.remaining();
    assert.equal(end, layer.size);
    looked.val.receive(blob.subarray(start, end));
    const found = looked.val.finish();
    assert.equal(found.tag, "here");
    const basis = opened(core, found.val, blob);
    assert.equal(basis.trust(), "toc");
    assert.equal(basis.tarSplit(), undefined);
    assert.equal(core.look(layer).val.code, "no-tar-split");
  });
}

test("both decoders make the same plan and the same contents", async () => {
  const all = await builds();
  if (all.length < 2) return;
  const [[, c], [, rust]] = all;
  const { layer, blob } = zoo();
  const chunks = (core) => {
    const plan = core.decide(opened(core, core.look(layer).val, blob), new core.Inventory()).val;
    const { fetches } = plan.start();
    return fetches.flatMap((fetch) => fetch.receive(blob.subarray(fetch.remaining().start, fetch.remaining().end)));
  };
  assert.deepEqual(chunks(c), chunks(rust));
});

/** Feeds a TocFetch, and returns the basis. */
function opened(core, fetch, blob) {
  const { start, end } = fetch.remaining();
  fetch.receive(blob.subarray(start, end));
  const { tag, val } = fetch.finish();
  assert.equal(tag, "found", JSON.stringify(val));
  return val;
}
