// Writes images: as an OCI layout on disk, or as the archive of one.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { digestOf } from "./chunked.mjs";
import { tar } from "./tar.mjs";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";

/** A gzip layer of a tar. */
export function gzipLayer(bytes) {
  return { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", blob: gzipSync(bytes, { level: 1 }), diffId: digestOf(bytes) };
}

/** A layer that is a tar as it is. */
export function plainLayer(bytes) {
  return { mediaType: "application/vnd.oci.image.layer.v1.tar", blob: bytes, diffId: digestOf(bytes) };
}

/** Where a layout has a blob. */
export function blobPath(digest) {
  return `blobs/sha256/${digest.slice(7)}`;
}

/** Adds a blob to the files of a layout, and returns what names it. */
function put(files, bytes) {
  const digest = digestOf(bytes);
  files.set(blobPath(digest), bytes);
  return { digest, size: bytes.length };
}

/** The same with a document. */
export function putJson(files, value) {
  return put(files, Buffer.from(JSON.stringify(value)));
}

/** The files of a layout, by path: `images` are layers by tag. */
export function layout(images) {
  const files = new Map([["oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}')]]);
  const json = (value) => putJson(files, value);
  const manifests = Object.entries(images).map(([tag, layers]) => {
    const config = json({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    });
    const manifest = json({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: CONFIG, ...config },
      layers: layers.map(({ mediaType, blob, annotations }) => ({ mediaType, ...put(files, blob), annotations })),
    });
    return { mediaType: MANIFEST, ...manifest, annotations: { "org.opencontainers.image.ref.name": tag } };
  });
  files.set("index.json", Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })));
  return files;
}

/** The files of a layout on disk. */
export function readLayout(folder) {
  const blobs = readdirSync(join(folder, "blobs/sha256")).map((name) => `blobs/sha256/${name}`);
  return new Map(["oci-layout", "index.json", ...blobs].map((path) => [path, readFileSync(join(folder, path))]));
}

export function writeLayout(files, folder) {
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  for (const [path, bytes] of files) writeFileSync(join(folder, path), bytes);
}

/** The archive of a layout. */
export function archive(files) {
  return tar([...files].map(([name, content]) => ({ name, content })));
}
