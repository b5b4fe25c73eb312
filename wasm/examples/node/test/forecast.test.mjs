// Machines that are only thought of, in the browser's face: figures, strips, and known layers that go through a file.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";

import { builds, demo } from "./help/fixtures.mjs";

for (const [build, core] of await builds()) {
  if (!core.Machine) continue;

  test(`${build}: a machine with v1 pulls v2`, () => {
    const [v1, v2] = ["v1", "v2"].map((tag) => layersOf(core, tag));
    const machine = new core.Machine();
    const cold = machine.forecast(v2, "auto").figures();
    assert.equal(cold.total.files.fetched + cold.total.files.twins, cold.total.files.total);
    v1.forEach((layer) => machine.add(layer));
    assert.ok(machine.has(v1[0]) && !machine.has(v2.at(-1)));

    const forecast = machine.forecast(v2, "auto", { cost: { roundTripUs: 10_000, bytesPerSecond: 1_000_000, inFlight: 2 } });
    const { layers, total, seconds } = forecast.figures();
    assert.ok(total.fetchedBytes < cold.total.fetchedBytes);
    assert.ok(total.files.hardlinked > 0 && total.files.copied === 0);
    assert.ok(Math.abs(seconds - (total.fetchedBytes / 1e6 + Math.ceil(total.requests / 2) * 0.01)) < 1e-5);
    assert.ok(machine.forecast(v2, "copy").figures().total.files.copied >= total.files.hardlinked);

    layers.forEach(({ mode, blobBytes, fetchedBytes, tocBytes, bridgedBytes }, number) => {
      const { starts, ends, entries, chunks, states, blobBytes: len } = forecast.strip(number);
      assert.equal(len, blobBytes);
      let at = 0;
      const sums = new Array(7).fill(0);
      starts.forEach((start, row) => {
        assert.ok(start === at && ends[row] > start, "no gap, no overlap");
        at = ends[row];
        sums[states[row]] += ends[row] - start;
        assert.equal(entries[row] === 0xffffffff, chunks[row] === 0xffffffff);
      });
      assert.equal(at, blobBytes);
      if (mode !== "partial") return;
      assert.equal(sums[0] + sums[1], fetchedBytes - tocBytes);
      assert.equal(sums[1], bridgedBytes);
      assert.ok(sums[4] > 0 && sums[5] > 0 && sums[6] === 72);
    });
    assert.equal(forecast.strip(layers.length), undefined);
    // Layers are not ended by being elements of an array.
    assert.equal(v2[0].pulled(), "by-file");
    assert.throws(() => machine.forecast([{}], "auto"), /layers must be Known/);
    assert.throws(() => machine.forecast(v2, "move"), /link must be/);
  });

  test(`${build}: what is known goes through a file`, () => {
    const layers = layersOf(core, "v2");
    const read = layers.map((layer) => core.Known.fromExported(layer.toExported()));
    read.forEach((layer, number) => {
      for (const said of ["blob", "blobLen", "diffId", "mediaType", "trust", "pulled", "why", "entries", "tocBytes", "tocRequests"]) {
        assert.equal(layer[said](), layers[number][said](), said);
      }
      assert.deepEqual(layer.toExported(), layers[number].toExported());
    });
    const figures = (known) => new core.Machine().forecast(known, "reflink").figures();
    assert.deepEqual(figures(read), figures(layers));
    const line = JSON.parse(new TextDecoder().decode(layers[0].toExported()));
    const bytes = (change) => new TextEncoder().encode(JSON.stringify({ ...line, ...change }));
    assert.throws(() => core.Known.fromExported(bytes({ blobLen: 10 })), { name: "KnownError", code: "past-end", lie: true });
    assert.throws(() => core.Known.fromExported(bytes({ blob: 7 })), { name: "KnownError", code: "line" });

    const overlap = new core.Overlap();
    assert.equal(overlap.addKnown("read", read), 0);
    assert.equal(overlap.addKnown("v1", layersOf(core, "v1")), 1);
    const found = [...overlap.search(0, "E", 1000)];
    const path = (node) => new TextDecoder().decode(overlap.path(0, node));
    const all = Array.from({ length: overlap.view(0, "logical").parents.length - 1 }, (_, node) => node + 1);
    assert.deepEqual(found, all.filter((node) => path(node).toLowerCase().includes("e")));
    assert.deepEqual([...overlap.search(0, "e", 2)], found.slice(0, 2));

    const { changes, summary } = overlap.diff(1, 0);
    const columns = overlap.diffColumns(1, 0);
    assert.deepEqual(columns.summary, summary);
    const words = ["added", "removed", "content", "metadata", "renamed"];
    const bits = { mode: 1, owner: 2, mtime: 4, xattrs: 8 };
    assert.deepEqual(
      changes.map((change, row) => [words[columns.changed[row]], columns.old[row], columns.new[row], columns.logical[row], columns.fresh[row], columns.fields[row]]),
      changes.map((change) => [
        change.changed,
        change.old ?? -1,
        change.new ?? -1,
        change.bytes.logical,
        change.fresh.compressed,
        change.fields.reduce((sum, field) => sum + bits[field], 0),
      ]),
    );
  });

  test(`${build}: a layer that nobody named`, () => {
    const bytes = blob(manifestOf("v1").layers[0].digest);
    const [named, unnamed] = [new core.WholeFetch(false), new core.WholeFetch(false)];
    named.receive(bytes);
    for (let at = 0; at < bytes.length; at += 1000) unnamed.index(bytes.subarray(at, at + 1000));
    const { layers, config } = manifestOf("v1");
    const diffId = JSON.parse(blob(config.digest)).rootfs.diff_ids[0];
    const [one, other] = [named.finish(layers[0].digest, diffId), unnamed.finishUnnamed()];
    assert.equal(other.blob, layers[0].digest);
    assert.equal(other.verified.digest(), diffId);
    assert.deepEqual(other.verified.toc().toStored(), one.verified.toc().toStored());

    const said = { blob: other.blob, blobLen: bytes.length, diffId, mediaType: "tar" };
    const known = core.Known.fromVerified(other.verified, said, "it is so", 5, 1);
    assert.deepEqual([known.pulled(), known.why(), known.trust()], ["whole", "it is so", "diff-id"]);
    assert.throws(() => core.Known.fromVerified(other.verified, { ...said, diffId: said.blob }, "", 0, 0), TypeError);
    const forecast = new core.Machine().forecast([known, known], "auto");
    const [whole, again] = forecast.figures().layers;
    assert.deepEqual([whole.mode, whole.why, whole.fetchedBytes, whole.requests], ["whole", "it is so", bytes.length + 5, 2]);
    assert.equal(again.mode, "present");
    assert.deepEqual(forecast.strip(0).states, Uint8Array.of(0));
    assert.deepEqual(core.Known.fromExported(known.toExported()).toExported(), known.toExported());
  });

  test(`${build}: SHA-256 in pieces`, () => {
    const sha = new core.Sha256();
    sha.update(new TextEncoder().encode("shin"));
    sha.update(new TextEncoder().encode("gle"));
    assert.equal(sha.finish(), `sha256:${createHash("sha256").update("shingle").digest("hex")}`);
  });
}

function blob(digest) {
  return readFileSync(`${demo}/blobs/sha256/${digest.slice(7)}`);
}

function manifestOf(tag) {
  const { manifests } = JSON.parse(readFileSync(`${demo}/index.json`));
  const named = manifests.find(({ annotations }) => annotations["org.opencontainers.image.ref.name"] === tag);
  return JSON.parse(blob(named.digest));
}

function layersOf(core, tag) {
  const manifest = manifestOf(tag);
  const { rootfs } = JSON.parse(blob(manifest.config.digest));
  return manifest.layers.map((layer, index) => {
    const fetch = core.look(layer).val;
    const { start, end } = fetch.remaining();
    fetch.receive(blob(layer.digest).subarray(start, end));
    const said = { blob: layer.digest, blobLen: layer.size, diffId: rootfs.diff_ids[index], mediaType: layer.mediaType };
    return core.Known.fromBasis(fetch.finish().val, said, end - start, 1);
  });
}
