// What is thrown: lies of a blob, mistakes of a caller, handles that are spent. None of it may be a trap.
import assert from "node:assert/strict";
import test from "node:test";

import { builds, digestOf, zoo } from "./help/fixtures.mjs";

const nobody = digestOf(new Uint8Array());

for (const [build, core] of await builds()) {
  test(`${build}: a flipped bit of a TOC is a lie with both digests`, () => {
    const { layer, blob } = zoo();
    const fetch = core.look(layer).val;
    const { start, end } = fetch.remaining();
    const bytes = blob.slice(start, end);
    bytes[9] ^= 1;
    fetch.receive(bytes);
    const error = thrown(() => fetch.finish());
    assert.ok(error instanceof Error);
    assert.deepEqual([error.name, error.code, error.lie], ["TocError", "digest", true]);
    assert.equal(error.fields.expected, layer.annotations["io.github.containers.zstd-chunked.manifest-checksum"]);
    assert.match(error.fields.actual, /^sha256:[0-9a-f]{64}$/);
    assert.match(error.message, /the manifest says/);
  });

  test(`${build}: a flipped bit of a chunk is thrown, again and again`, () => {
    const { layer, blob } = zoo();
    const { plan } = planned(core, layer, blob);
    const [fetch] = plan.start().fetches;
    const { start, end } = fetch.remaining();
    const bytes = blob.slice(start, end);
    bytes[bytes.length >> 1] ^= 1;
    const error = thrown(() => fetch.receive(bytes));
    assert.equal(error.name, "FetchError");
    assert.ok(["chunk-digest", "undecodable", "short"].includes(error.code), error.code);
    assert.equal(error.lie, true);
    assert.equal(typeof error.fields.name, "string");
    assert.equal(thrown(() => fetch.receive(bytes)).message, error.message);
    assert.equal(thrown(() => fetch.finish()).message, error.message);
  });

  test(`${build}: what is missing is said, and is no lie`, () => {
    const { layer, blob, diffId } = zoo();
    const { plan, basis } = planned(core, layer, blob);
    const { ledger, fetches } = plan.start();
    const error = thrown(() => fetches[0].finish());
    assert.deepEqual([error.name, error.code, error.lie], ["FetchError", "truncated", false]);
    assert.deepEqual(Object.keys(error.fields).sort(), ["at", "missing"]);
    const unfinished = thrown(() => ledger.close());
    assert.equal(unfinished.name, "Unfinished");
    assert.deepEqual(unfinished.fields, { missing: fetches.length, requests: fetches.length });

    const inventory = new core.Inventory();
    inventory.addToc(basis.toc());
    const held = core.decide(basis, inventory).val;
    const size = (file) => basis.toc().entries(file, 1)[0].size;
    const check = basis.check(held);
    const first = check.wants();
    const wrong = thrown(() => {
      for (let file = first; file !== undefined; file = check.wants()) check.receive(new Uint8Array(size(file)));
      check.finish(held.start().ledger.close(), diffId);
    });
    assert.deepEqual([wrong.name, wrong.code, wrong.lie], ["DiffIdError", "mismatch", true]);
    assert.equal(wrong.fields.expected, diffId);
    const long = basis.check(held);
    const more = new Uint8Array(size(long.wants()) + 1);
    assert.equal(thrown(() => long.receive(more)).code, "length");
  });

  test(`${build}: another blob, and another tar, are refused whole`, () => {
    const { layer, blob, diffId } = zoo();
    const read = () => {
      const whole = new core.WholeFetch(false);
      whole.receive(blob);
      return whole;
    };
    const other = thrown(() => read().finish(nobody, diffId));
    assert.deepEqual([other.name, other.code, other.lie], ["UnwrapError", "digest", true]);
    const tar = thrown(() => read().finish(layer.digest, nobody));
    assert.deepEqual([tar.name, tar.code, tar.fields.actual], ["WholeError", "diff-id", diffId]);
    const garbage = new core.WholeFetch(false);
    const error = thrown(() => garbage.receive(new Uint8Array(2048).fill(255)));
    assert.equal(error.name, "WholeError");
    assert.equal(error.fields.code, "entry");
    assert.equal(thrown(() => garbage.receive(new Uint8Array(1))).message, error.message);
  });

  test(`${build}: a limit is held`, () => {
    const { layer, blob } = zoo();
    const looked = core.look(layer, { limits: { toc: 10 } });
    assert.deepEqual([looked.tag, looked.val.code], ["whole", "locate"]);
    assert.equal(looked.val.fields.code, "too-large");
    assert.equal(looked.val.fields.fields.limit, 10);
    const stored = planned(core, layer, blob).basis.toc().toStored();
    assert.equal(thrown(() => core.Toc.fromStored(stored, { entries: 3 })).code, "too-many");
    assert.equal(thrown(() => core.Toc.fromStored(new Uint8Array([1, 2, 3]))).name, "TocError");
  });

  test(`${build}: a spent handle says so`, () => {
    const { layer, blob, diffId } = zoo();
    const { plan, basis } = planned(core, layer, blob);
    const { ledger, fetches } = plan.start();
    for (const fetch of fetches) {
      fetch.receive(blob.subarray(fetch.remaining().start, fetch.remaining().end));
      const receipt = fetch.finish();
      assertSpent(() => fetch.remaining());
      assertSpent(() => fetch.finish());
      ledger.credit(receipt);
      assertSpent(() => ledger.credit(receipt));
    }
    const complete = ledger.close();
    assertSpent(() => ledger.close());
    const check = basis.check(plan);
    const error = thrown(() => check.finish(complete, diffId));
    assert.equal(error.name, "DiffIdError");
    assertSpent(() => check.wants());
    assertSpent(() => basis.check(plan).finish(complete, diffId));
    plan.free();
    assertSpent(() => plan.summary());
    assert.throws(() => core.decide({}, new core.Inventory()), /expected instance of Basis/);
  });

  test(`${build}: a mistake of the caller is a TypeError that names the place`, () => {
    const { layer } = zoo();
    const wrong = [
      [() => core.look({}), "layer.mediaType"],
      [() => core.look(undefined), "layer"],
      [() => core.look({ ...layer, size: -1 }), "layer.size"],
      [() => core.look({ ...layer, size: 2 ** 53 }), "layer.size"],
      [() => core.look({ ...layer, size: "1" }), "layer.size"],
      [() => core.look({ ...layer, size: NaN }), "layer.size"],
      [() => core.look({ ...layer, annotations: { key: 1 } }), "layer.annotations.key"],
      [() => core.look(layer, { trust: "none" }), "policy.trust"],
      [() => core.look(layer, { cost: { inFlight: 1.5 } }), "policy.cost.inFlight"],
      [() => core.look(layer, { limits: { windowLog: 2 ** 32 } }), "policy.limits.windowLog"],
      [() => core.look(layer, 7), "policy"],
      [() => new core.WholeFetch(true, { entries: "many" }), "limits.entries"],
      [() => new core.Writer({ format: "zip" }), "options.format"],
      [() => core.accept({ status: 70_000 }, { start: 0, end: 1 }), "reply.status"],
      [() => core.accept({ status: 206 }, { start: 1, end: 1 }), "asked"],
      [() => core.rangeHeader({ start: 0 }), "range.end"],
      [() => new core.Inventory().addFile("sha256:0", 1, "0".repeat(32)), "sha256:0"],
      [() => new core.Inventory().addFile(nobody, 1, "0"), "hexadecimal"],
      [() => new core.Inventory().addFile(nobody, Infinity, "0".repeat(32)), "size"],
      [() => new core.Inventory().addChunk(nobody, "md5:0", 0, 1), "md5"],
    ];
    for (const [call, place] of wrong) {
      const error = thrown(call);
      assert.ok(error instanceof TypeError, `${place}: ${error}`);
      assert.ok(error.message.includes(place), `${place}: ${error.message}`);
    }
    // Bigints do as well, and what throws while it is read is thrown on.
    assert.equal(core.look({ ...layer, size: BigInt(layer.size) }).tag, "toc");
    const trap = new Proxy({}, { get: () => { throw new RangeError("mine"); } });
    assert.throws(() => core.look(trap), { name: "RangeError", message: "mine" });
  });

  test(`${build}: policies are read as they are written`, () => {
    const policy = core.defaultPolicy();
    assert.equal(policy.trust, "diff-id");
    assert.deepEqual(policy.cost, { roundTripUs: 4000, bytesPerSecond: 8_000_000, inFlight: 8 });
    assert.equal(Object.keys(policy.limits).length, 14);
    assert.ok(policy.limits.content < 2 ** 53 && policy.limits.file < 2 ** 53);
    // Each limit, taken away, refuses something of a layer that passes with all of them.
    const { layer, blob } = zoo();
    assert.equal(planned(core, layer, blob, policy).plan.summary().held, 0);
    const small = { ...policy, requestLen: 1 };
    const many = planned(core, layer, blob, small).plan.summary().requests;
    assert.ok(many > planned(core, layer, blob, { ...policy, requestLen: 2 ** 30 }).plan.summary().requests);
  });

  test(`${build}: HTTP answers mean what the core says`, () => {
    const asked = { start: 10, end: 20 };
    assert.equal(core.rangeHeader(asked), "bytes=10-19");
    const part = core.accept({ status: 206, contentRange: "bytes 8-19/100", contentLength: "12" }, asked, 100);
    assert.deepEqual(part, { tag: "part", val: { start: 8, end: 20 } });
    assert.deepEqual(core.accept({ status: 200, contentLength: 100, contentType: null }, asked, 100), { tag: "whole" });
    assert.deepEqual(core.acceptWhole({ status: 200 }), { tag: "whole" });
    const refused = core.accept({ status: 416 }, asked).val;
    assert.deepEqual([refused.code, refused.leavesWhole, refused.fields], ["ranges-unsupported", true, { status: 416 }]);
    const other = core.accept({ status: 206, contentRange: "bytes 0-4/100" }, asked, 100).val;
    assert.deepEqual(other.fields, { sent: { start: 0, end: 5 }, asked });
    const encoded = core.accept({ status: 200, contentEncoding: "gzip" }, asked).val;
    assert.equal(encoded.code, "encoded");
  });
}

function planned(core, layer, blob, policy) {
  const fetch = core.look(layer, policy).val;
  const { start, end } = fetch.remaining();
  fetch.receive(blob.subarray(start, end));
  const basis = fetch.finish().val;
  return { basis, plan: core.decide(basis, new core.Inventory(), policy).val };
}

function thrown(call) {
  try {
    call();
  } catch (error) {
    assert.ok(!(error instanceof WebAssembly.RuntimeError), `a trap: ${error}`);
    return error;
  }
  assert.fail("nothing was thrown");
}

function assertSpent(call) {
  const error = thrown(call);
  assert.ok(error instanceof Error);
  assert.match(error.message, /null pointer passed to rust|moved value/);
}
