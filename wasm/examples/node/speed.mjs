// Times the core on one layer that is held in memory, as core/examples/speed.rs times it as native code. Nothing here is
// of node alone: the page in ../browser uses the same lines.

/** How much is handed over at once, in bytes. */
const PIECE = 1 << 20;

/**
 * Times `runs` runs, and returns the best milliseconds of each step.
 *
 * `memory` is the module's; its sizes are those of the first run.
 */
export function bench(core, memory, layer, blob, runs) {
  const best = time(core, memory, layer, blob);
  for (let run = 1; run < runs; run += 1) {
    const times = time(core, memory, layer, blob);
    for (const step of ["open_ms", "plan_ms", "decode_ms", "check_ms"]) best[step] = Math.min(best[step], times[step]);
  }
  return best;
}

function time(core, memory, layer, blob) {
  let begun = performance.now();
  const lap = () => {
    const took = performance.now() - begun;
    begun = performance.now();
    return Math.round(took * 100) / 100;
  };
  const looked = core.look(layer);
  if (looked.tag !== "toc") throw new Error("no annotation says where a TOC is");
  for (const piece of pieces(blob, looked.val.remaining())) looked.val.receive(piece);
  const opened = looked.val.finish();
  if (opened.tag !== "found") throw new Error(opened.val.message);
  const basis = opened.val;
  const open_ms = lap();
  const inventory = new core.Inventory();
  const decision = core.decide(basis, inventory);
  const plan_ms = lap();
  if (decision.tag !== "partial") throw new Error(decision.val.message);
  const plan = decision.val;
  const wasm_bytes_open = memory.buffer.byteLength;

  const toc = basis.toc();
  const { sizes, kinds } = toc.columns();
  const regular = 5; // The index in `Kind`.
  const contents = Array.from(sizes, (size, entry) => new Uint8Array(kinds[entry] === regular ? size : 0));
  const { contentBytes: content_bytes, files } = plan.summary();
  const planned = plan.files(0, files);
  const { ledger, fetches } = plan.start();
  lap();
  for (const fetch of fetches) {
    for (const piece of pieces(blob, fetch.remaining())) {
      for (const { file, offset, bytes } of fetch.receive(piece)) contents[file].set(bytes, offset);
      // Where answers have an end, the rest is asked for.
      while (fetch.pending?.()) {
        for (const { file, offset, bytes } of fetch.receive(new Uint8Array())) contents[file].set(bytes, offset);
      }
    }
    ledger.credit(fetch.finish());
  }
  const complete = ledger.close();
  const decode_ms = lap();
  for (const { file, source } of planned) {
    if (source.tag === "twin") contents[file] = contents[source.val.of].slice();
  }
  lap();
  const check = basis.check(plan);
  for (let file = check.wants(); file !== undefined; file = check.wants()) {
    for (const piece of pieces(contents[file], { start: 0, end: contents[file].length })) check.receive(piece);
  }
  const verified = check.finish(complete, layer.diffId);
  const check_ms = lap();
  const wasm_bytes = memory.buffer.byteLength;
  const entries = toc.len();
  for (const handle of [verified, toc, plan, inventory, basis]) handle.free();
  const sized = { entries, content_bytes, blob_bytes: blob.length };
  return { ...sized, open_ms, plan_ms, decode_ms, check_ms, wasm_bytes_open, wasm_bytes };
}

function* pieces(bytes, { start, end }) {
  for (let at = start; at < end; at += PIECE) yield bytes.subarray(at, Math.min(end, at + PIECE));
}
