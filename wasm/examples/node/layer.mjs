// What the benches read from the disk: a build of the package, and the first layer of an image in a layout.
import { createReadStream, readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";

import { layoutOf } from "./arguments.mjs";
import { openLayout } from "./image.mjs";

/** The script and the module of a package's main entry, relative to its folder. */
export function entry(folder) {
  const script = JSON.parse(readFileSync(join(folder, "package.json"))).exports["."].default;
  return { script, module: join(dirname(script), "shingle_bg.wasm") };
}

/** Opens the first layer of `oci:DIR[:TAG]`: what the manifest says of it, and where its blob lies. */
export async function firstLayer(ref) {
  const { dir, tag } = layoutOf(ref);
  const sha256 = async (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const { layers } = await openLayout(ref, tag, (path) => createReadStream(join(dir, path)), sha256);
  return { layer: layers[0], path: join(dir, "blobs", layers[0].blob.replace(":", "/")) };
}
