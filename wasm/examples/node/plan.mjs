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

/** What a layer is known by: its DiffID only where that is proven, else the digest of the TOC that is vouched for. */
function identity(layer, basis) {
  if (basis?.trust() !== "toc") return layer.diffId;
  const toc = basis.toc();
  const vouched = toc.vouched();
  toc.free();
  return `toc ${vouched}`;
}

/** Collects what the layers of some images hold, and what these layers are known by. */
export async function inventoryOf(core, images, policy) {
  const inventory = new core.Inventory();
  const held = new Set();
  for (const image of images) {
    for (const layer of image.layers) {
      const { basis } = await openToc(core, image, layer, policy);
      held.add(identity(layer, basis));
      const proof = basis ?? (await readWhole(core, image, layer));
      const toc = proof.toc();
      inventory.addToc(toc);
      // The collector would free these too, but wasm's memory is not what it looks at.
      toc.free();
      proof.free();
    }
  }
  return { inventory, held };
}

/** Plans every layer of an image against `given` ones. */
export async function planImage(core, image, given, { full = false, policy } = {}) {
  const { inventory, held } = await inventoryOf(core, given, policy);
  const seen = new Set();
  const layers = [];
  for (const layer of image.layers) {
    // Two blobs that claim one DiffID are the same only if that is proven.
    const key = policy?.trust === "toc" ? `${layer.diffId} ${layer.blob}` : layer.diffId;
    const present = seen.has(key) || held.has(layer.diffId);
    seen.add(key);
    layers.push(present ? presentLayer(layer) : await planLayer(core, image, layer, { inventory, held, policy, full }));
  }
  inventory.free();
  const keys = ["blob_bytes", "toc_bytes", "fetched_bytes", "requests", "bridged_bytes", "content_bytes", "reused_bytes"];
  const sum = (key) => layers.reduce((total, layer) => total + (layer[key] ?? 0), 0);
  return { image: image.ref, digest: image.digest, layers, total: Object.fromEntries(keys.map((key) => [key, sum(key)])) };
}

function presentLayer(layer) {
  return { ...head(layer), mode: "present", toc_bytes: 0, fetched_bytes: 0, requests: 0 };
}

async function planLayer(core, image, layer, { inventory, held, policy, full }) {
  const { read, basis, why } = await openToc(core, image, layer, policy);
  if (basis && held.has(identity(layer, basis))) {
    basis.free();
    return presentLayer(layer);
  }
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
