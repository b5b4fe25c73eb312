// What a pull would cost: the same decisions, and the same JSON, as `shingle plan --json`.

/**
 * Finds the TOC of a layer and proves it.
 *
 * Returns what was read for it and `basis`, or `why` the layer must be read whole. Throws if somebody lies.
 */
export async function openToc(core, image, layer, policy) {
  const read = { bytes: 0, requests: 0 };
  // Feeds a machine the range that it still owes, in one request.
  const feed = async (machine) => {
    const { start, end } = machine.remaining();
    if (start === end) return;
    read.requests += 1;
    for await (const bytes of image.read(layer, { start, end })) {
      read.bytes += bytes.length;
      machine.receive(bytes);
    }
  };
  let found = core.look(layer, policy);
  if (found.tag === "tail") {
    await feed(found.val);
    found = found.val.finish();
    if (found.tag === "elsewhere") throw new Error(`${layer.blob}: its table of contents is in another image`);
  }
  if (found.tag === "whole") return { read, why: found.val };
  await feed(found.val);
  const opened = found.val.finish();
  return opened.tag === "found" ? { read, basis: opened.val } : { read, why: opened.val };
}

/** Reads a layer front to back, hands what it holds to `sink`, and returns the proof. */
export async function readWhole(core, image, layer, sink = () => {}) {
  const whole = new core.WholeFetch(false);
  for await (const bytes of image.read(layer)) {
    for (const piece of whole.receive(bytes)) await sink(piece);
  }
  return whole.finish(layer.blob, layer.diffId).verified;
}

/** Collects what the layers of some images hold. */
export async function inventoryOf(core, images, policy) {
  const inventory = new core.Inventory();
  for (const image of images) {
    for (const layer of image.layers) {
      const { basis } = await openToc(core, image, layer, policy);
      const proof = basis ?? (await readWhole(core, image, layer));
      const toc = proof.toc();
      inventory.addToc(toc);
      // The collector would free these too, but wasm's memory is not what it looks at.
      toc.free();
      proof.free();
    }
  }
  return inventory;
}

/** Plans every layer of an image against `given` ones. */
export async function planImage(core, image, given, { full = false, policy } = {}) {
  const inventory = await inventoryOf(core, given, policy);
  const present = new Set(given.flatMap(({ layers }) => layers.map(({ diffId }) => diffId)));
  const layers = [];
  for (const layer of image.layers) {
    if (present.has(layer.diffId)) {
      layers.push({ ...head(layer), mode: "present", toc_bytes: 0, fetched_bytes: 0, requests: 0 });
      continue;
    }
    present.add(layer.diffId);
    layers.push(await planLayer(core, image, layer, inventory, policy, full));
  }
  const keys = ["blob_bytes", "toc_bytes", "fetched_bytes", "requests", "bridged_bytes", "content_bytes", "reused_bytes"];
  const sum = (key) => layers.reduce((total, layer) => total + (layer[key] ?? 0), 0);
  return { image: image.ref, digest: image.digest, layers, total: Object.fromEntries(keys.map((key) => [key, sum(key)])) };
}

async function planLayer(core, image, layer, inventory, policy, full) {
  const { read, basis, why } = await openToc(core, image, layer, policy);
  const decision = basis ? core.decide(basis, inventory, policy) : { tag: "whole", val: why };
  basis?.free();
  if (decision.tag === "whole") {
    return {
      ...head(layer),
      mode: "whole",
      why: decision.val.message,
      toc_bytes: read.bytes,
      fetched_bytes: read.bytes + layer.size,
      requests: read.requests + 1,
    };
  }
  const plan = decision.val;
  const sum = plan.summary();
  const planned = {
    ...head(layer),
    mode: "partial",
    toc_bytes: read.bytes,
    fetched_bytes: read.bytes + sum.requestBytes,
    requests: read.requests + sum.requests,
    bridged_bytes: sum.bridgedBytes,
    content_bytes: sum.contentBytes,
    reused_bytes: sum.reusedBytes,
    files: { total: sum.files, held: sum.held, twins: sum.twins, assembled: sum.assembled, fetched: sum.fetched },
  };
  if (full) {
    planned.ranges = plan.requests().map(({ start, end }) => [start, end]);
    planned.sources = plan.files(0, sum.files).map(source);
  }
  plan.free();
  return planned;
}

function head(layer) {
  return { blob: layer.blob, diff_id: layer.diffId, media_type: layer.mediaType, blob_bytes: layer.size };
}

function source({ file, source: { tag, val } }) {
  if (tag === "held") return { file, from: "held", digest: val.digest, same_class: val.sameClass };
  if (tag === "twin") return { file, from: "twin", of: val.of, same_class: val.sameClass };
  const donated = val.donated.map(({ offset, object, objectOffset, len, digest }) => {
    return { offset, object, object_offset: objectOffset, len, digest };
  });
  return { file, from: "assembled", fetched: val.fetched, donated };
}
