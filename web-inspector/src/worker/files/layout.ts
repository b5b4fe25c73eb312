// OCI image layouts: blobs, and an index that names images.

import { collect, piecesOf } from "../bytes";
import { digestOf } from "../core";
import { because, failure } from "../fault";
import { ANY, resolve, type Fetch, type FoundImage } from "../image/found";
import { readIndex, type Descriptor } from "../image/documents";
import { readJson, text } from "../json";
import { KIB, LAYOUT_INDEX_BYTES, MANIFEST_BYTES } from "../limits";
import { ofFile } from "../source";
import type { Task } from "../task";
import type { Folder } from "./folder";

const REF_NAME = "org.opencontainers.image.ref.name";
/** Where containerd and docker write a whole reference. */
const IMAGE_NAME = "io.containerd.image.name";
/** An attestation says with this what it is about. */
const REFERENCE_TYPE = "vnd.docker.reference.type";

/** Finds every image of a layout. `from`: the file or folder that it came from. */
export async function layoutImages(folder: Folder, from: string, task: Task): Promise<FoundImage[]> {
  await checkVersion(folder, task);
  const what = `${folder.name}/index.json`;
  const index = readIndex(readJson(await readFile(folder, "index.json", LAYOUT_INDEX_BYTES, task), what), what);
  const tops = index.manifests.filter(
    ({ annotations, platform }) => !annotations[REFERENCE_TYPE] && platform?.os !== "unknown",
  );
  if (tops.length === 0) throw failure("input", `${folder.name} holds no image`);
  const images: FoundImage[] = [];
  for (const top of tops) {
    const name = nameOf(folder, top);
    try {
      images.push({ name, origin: { from: "file", name: from }, ...(await image(folder, top, task)) });
    } catch (error) {
      throw because(`${name} cannot be opened.`, error);
    }
  }
  return images;
}

function nameOf(folder: Folder, { annotations }: Descriptor): string {
  const whole = annotations[IMAGE_NAME];
  const tag = annotations[REF_NAME];
  if (whole) return whole;
  if (!tag) return folder.name;
  // Some tools write the whole reference here too.
  return tag.includes("/") || tag.includes(":") ? tag : `${folder.name}:${tag}`;
}

async function image(folder: Folder, top: Descriptor, task: Task) {
  const fetch: Fetch = async (_kind, wanted, limit) => {
    if (wanted.size > limit) throw failure("limit", `${wanted.digest} has ${wanted.size} bytes, at most ${limit} are read`);
    const bytes = await collect(piecesOf(blob(folder, wanted).stream(), task.signal), limit, wanted.digest);
    if (digestOf(bytes) !== wanted.digest) throw failure("lie", `the document ${wanted.digest} in ${folder.name} is another one`);
    return bytes;
  };
  const bytes = await fetch("manifest", top, MANIFEST_BYTES);
  const found = { bytes, digest: top.digest, contentType: top.mediaType };
  return resolve(found, ANY, fetch, (layer) => ofFile(blob(folder, layer)));
}

function blob(folder: Folder, { digest, size }: Descriptor): Blob {
  const found = folder.find(`blobs/${digest.replace(":", "/")}`);
  if (!found) {
    throw failure("input", `the blob ${digest} is not in ${folder.name}`, {
      hint: "The layout is not complete: copy the image again, for example with skopeo copy.",
    });
  }
  if (found.size !== size) throw failure("lie", `the blob ${digest} has ${found.size} bytes, not ${size}`);
  return found;
}

async function checkVersion(folder: Folder, task: Task): Promise<void> {
  const json = readJson(await readFile(folder, "oci-layout", 4 * KIB, task), `${folder.name}/oci-layout`);
  const version = text(json.imageLayoutVersion);
  if (!version.startsWith("1.")) {
    throw failure("input", `the layout ${folder.name} has version ${JSON.stringify(version.slice(0, 40))}, not 1`);
  }
}

/** Reads a small file of a folder. */
export async function readFile(folder: Folder, path: string, limit: number, { signal }: Task): Promise<Uint8Array> {
  const file = folder.find(path);
  if (!file) throw failure("input", `there is no ${path} in ${folder.name}`);
  return collect(piecesOf(file.stream(), signal), limit, `${folder.name}/${path}`);
}
