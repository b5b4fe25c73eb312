// OCI image layouts: blobs, and an index that names images.

import { failure, type Faults } from "../fault";
import type { FoundImage } from "../image/found";
import { readIndex, type Descriptor } from "../image/documents";
import { readJson, text } from "../json";
import { IMAGES, KIB, LAYOUT_INDEX_BYTES, MANIFEST_BYTES } from "../limits";
import type { Task } from "../task";
import { fetchFrom, imageAt, readFile, type Place } from "./blobs";
import type { Folder } from "./folder";

const REF_NAME = "org.opencontainers.image.ref.name";
/** Where containerd and docker write a whole reference. */
const IMAGE_NAME = "io.containerd.image.name";
/** An attestation says with this what it is about. */
const REFERENCE_TYPE = "vnd.docker.reference.type";

/** Finds the images of a layout. `from`: the file or folder that it came from. */
export async function layoutImages(folder: Folder, from: string, faults: Faults, task: Task): Promise<FoundImage[]> {
  await checkVersion(folder, task);
  const what = `${folder.name}/index.json`;
  const index = readIndex(readJson(await readFile(folder, "index.json", LAYOUT_INDEX_BYTES, task), what), what);
  const tops = index.manifests.filter(
    ({ annotations, platform }) => !annotations[REFERENCE_TYPE] && platform?.os !== "unknown",
  );
  if (tops.length === 0) throw failure("input", `${folder.name} holds no image`);
  if (tops.length > IMAGES) throw failure("limit", `${folder.name} holds ${tops.length} images, at most ${IMAGES} are opened`);
  const images: FoundImage[] = [];
  for (const top of tops) {
    const name = nameOf(folder, top);
    const found = await faults.attempt(`${name} cannot be opened.`, () => image(folder, top, task));
    if (found) images.push({ name, origin: { from: "file", name: from }, ...found });
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
  const place: Place = (_kind, digest) => `blobs/${digest.replace(":", "/")}`;
  const bytes = await fetchFrom(folder, place, task)("manifest", top, MANIFEST_BYTES);
  return imageAt(folder, { bytes, digest: top.digest, contentType: top.mediaType }, place, task);
}

async function checkVersion(folder: Folder, task: Task): Promise<void> {
  const json = readJson(await readFile(folder, "oci-layout", 4 * KIB, task), `${folder.name}/oci-layout`);
  const version = text(json.imageLayoutVersion);
  if (!version.startsWith("1.")) {
    throw failure("input", `the layout ${folder.name} has version ${JSON.stringify(version.slice(0, 40))}, not 1`);
  }
}
