// What two images share, in the browser's face: the figures add up, and flat arrays say what details say.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { builds, demo, digestOf } from "./help/fixtures.mjs";

for (const [build, core] of await builds()) {
  test(`${build}: two versions of an image overlap`, () => {
    const overlap = new core.Overlap();
    assert.ok(overlap.isEmpty());
    const layers = layersOf(core, "v1");
    assert.equal(overlap.addImage("v1", layers), 0);
    layers.forEach(({ toc }) => {
      assert.ok(toc.len() > 0, "it stays the caller's");
      toc.free();
    });
    assert.equal(overlap.addImage("v2", layersOf(core, "v2")), 1);
    assert.equal(overlap.len(), 2);
    const summary = overlap.summary();
    const [old, young] = summary.images;
    assert.equal(old.label, "v1");
    assert.deepEqual(young.layers[0].alsoIn, [0]);
    for (const { unique, shared, distinct } of summary.images) {
      assert.equal(unique.count + shared.count, distinct.count);
      assert.equal(unique.bytes.logical + shared.bytes.logical, distinct.bytes.logical);
    }
    assert.equal(summary.sharedBy[1].files.count, old.shared.count);
    assert.equal(overlap.matrix().files[1].logical, young.shared.bytes.logical === 0 ? 0 : old.shared.bytes.logical);

    const view = overlap.view(1, "logical");
    const count = view.parents.length;
    assert.ok(count > 100 && view.ends[0] === count);
    assert.equal(view.files[0], young.files.count);
    const path = overlap.path(1, count - 1);
    assert.equal(overlap.find(1, path), count - 1);
    assert.equal(overlap.find(1, new TextEncoder().encode("no/such/path")), undefined);
    for (let node = 0; node < count; node += 1) {
      const details = overlap.details(1, node);
      if (details.state === undefined || details.again) continue;
      assert.ok(view[details.state][node] > 0, details.state);
      assert.ok(overlap.holders(details.digest).some(({ image }) => image === 1));
    }
    const { changes, summary: sums } = overlap.diff(0, 1);
    assert.ok(changes.length > 0);
    assert.equal(changes.filter(({ changed }) => changed === "added").length >= sums.added.count, true);
    assert.ok(overlap.sharedContents(5).length === 5);
    const order = overlap.pullOrder();
    assert.equal(order.bytes, order.steps.reduce((sum, step) => sum + step.bytes, 0));
    assert.equal(overlap.pullCost(new Uint32Array(order.steps.map(({ image }) => image))).bytes, order.bytes);
    // What is not there is no trap.
    assert.deepEqual(
      [overlap.view(2, "logical"), overlap.path(0, 1e6), overlap.details(9, 0), overlap.diff(0, 2)],
      [undefined, undefined, undefined, undefined],
    );
    assert.deepEqual(overlap.duplicates(9, 1), []);
    assert.throws(() => overlap.view(0, "both"), /measure must be/);
    assert.throws(() => overlap.addImage("x", [{ toc: {}, blobLen: 1 }]), /layer.toc must be a Toc/);
    assert.throws(() => overlap.holders("x"), TypeError);
    assert.equal(overlap.len(), 2);
  });
}

function layersOf(core, tag) {
  const blob = (digest) => readFileSync(`${demo}/blobs/sha256/${digest.slice(7)}`);
  const { manifests } = JSON.parse(readFileSync(`${demo}/index.json`));
  const named = manifests.find(({ annotations }) => annotations["org.opencontainers.image.ref.name"] === tag);
  const manifest = JSON.parse(blob(named.digest));
  const { rootfs } = JSON.parse(blob(manifest.config.digest));
  return manifest.layers.map((layer, index) => {
    const bytes = blob(layer.digest);
    assert.equal(digestOf(bytes), layer.digest);
    const fetch = core.look(layer).val;
    fetch.receive(bytes.subarray(fetch.remaining().start, fetch.remaining().end));
    const toc = fetch.finish().val.toc();
    return { toc, blob: layer.digest, diffId: rootfs.diff_ids[index], blobLen: layer.size };
  });
}
