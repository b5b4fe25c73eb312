// What the tests work on: the builds of the package, and blobs that real tools wrote.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = fileURLToPath(new URL("../../../../../", import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? `${root}target`;
/** The folder of the package. */
export const npm = `${target}/wasm/npm/core`;
const fixtures = `${root}tests/fixtures`;

/** The builds there are, by name; `cargo xtask wasm --only npm` makes both. */
export async function builds() {
  const found = [];
  for (const name of ["core", "core.ruzstd"]) {
    const path = `${target}/wasm/npm/${name}/full/node.js`;
    if (existsSync(path)) found.push([name, await import(path)]);
  }
  if (found.length === 0) throw new Error("no package; `cargo xtask wasm --only npm` builds it");
  return found;
}

/** The zoo: one layer with every kind of entry, as podman wrote it, or in another of its forms. */
export function zoo(form = "podman-5.8") {
  const tar = readFileSync(`${fixtures}/zoo/zoo.tar`);
  if (form === "zoo.estargz") {
    const blob = readFileSync(`${fixtures}/zoo/zoo.estargz`);
    const toc = "sha256:bd5800ce15760a09d962b8c4a664d3c5f90dd8a4f8cf416b586098d88fc28551";
    const annotations = { "containerd.io/snapshot/stargz/toc.digest": toc };
    return { blob, layer: { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", size: blob.length, annotations } };
  }
  return { ...layout(`${fixtures}/zoo/${form}`), tar };
}

/** The layout of two images that share most of their files, in tags `v1` and `v2`. */
export const demo = `${fixtures}/demo`;
/** The layout with the zoo in it. */
export const zooLayout = `${fixtures}/zoo/podman-5.8`;
/** The layout with the zoo as plain gzip. */
export const gzipLayout = `${fixtures}/zoo/gzip`;

export function digestOf(bytes) {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function layout(dir) {
  const read = (digest) => readFileSync(`${dir}/blobs/sha256/${digest.slice(7)}`);
  const json = (digest) => JSON.parse(read(digest));
  const index = JSON.parse(readFileSync(`${dir}/index.json`));
  const manifest = json(index.manifests[0].digest);
  const [layer] = manifest.layers;
  const [diffId] = json(manifest.config.digest).rootfs.diff_ids;
  return { blob: read(layer.digest), layer: { ...layer, annotations: layer.annotations ?? {} }, diffId };
}
