// Archives as `docker save` writes them: layers' tars, a config, and a list that names them.

import { failure, type Faults } from "../fault";
import { readConfig } from "../image/documents";
import type { FoundImage, FoundLayer } from "../image/found";
import { writePlatform } from "../image/platform";
import { isObject, list, readAny, text } from "../json";
import { CONFIG_BYTES, DOCKER_LIST_BYTES, IMAGES, LAYERS, MANIFESTS } from "../limits";
import { ofFile } from "../source";
import type { Task } from "../task";
import { readFile } from "./blobs";
import type { Folder } from "./folder";
import { hashed } from "./hash";
import { formOf } from "./magic";

const LAYER = "application/vnd.docker.image.rootfs.diff.tar";

/** One image as `manifest.json` lists it. */
interface Listed {
  config: string;
  tags: string[];
  layers: string[];
}

/** Finds the images of an archive. */
export async function dockerImages(folder: Folder, from: string, faults: Faults, task: Task): Promise<FoundImage[]> {
  const what = `${folder.name}/manifest.json`;
  const listed = readList(await readFile(folder, "manifest.json", DOCKER_LIST_BYTES, task), what);
  if (listed.length === 0) throw failure("input", `${folder.name} holds no image`);
  const images: FoundImage[] = [];
  // Images share layers, and one may name a layer any number of times.
  const blobs = new Map<string, string>();
  for (const one of listed) {
    const name = one.tags[0] ?? folder.name;
    const found = await faults.attempt(`${name} cannot be opened.`, () => image(folder, one, name, from, blobs, task));
    if (found) images.push(found);
  }
  return images;
}

async function image(
  folder: Folder,
  listed: Listed,
  name: string,
  from: string,
  blobs: Map<string, string>,
  task: Task,
): Promise<FoundImage> {
  const config = readConfig(await readFile(folder, listed.config, CONFIG_BYTES, task), listed.layers.length);
  const layers: FoundLayer[] = [];
  for (const [index, path] of listed.layers.entries()) {
    layers.push(await layer(folder, path, config.diffIds[index] ?? "", blobs, task));
  }
  return {
    name,
    origin: { from: "file", name: from },
    // The archive has no manifest as registries know it.
    digest: undefined,
    platform: config.platform && writePlatform(config.platform),
    layers,
  };
}

/** `blobs`: digests of those that were read before, by path. */
async function layer(
  folder: Folder,
  path: string,
  diffId: string,
  blobs: Map<string, string>,
  task: Task,
): Promise<FoundLayer> {
  const file = folder.find(path);
  if (!file) throw failure("input", `the layer ${path} is not in ${folder.name}`);
  const form = await formOf(file);
  const suffix = form === "gzip" ? ".gzip" : form === "zstd" ? ".zstd" : "";
  // A plain tar should have its DiffID, which is checked when it is read.
  const blob = suffix ? (blobs.get(path) ?? (await hashed(file, task, `Reading ${path}`))) : diffId;
  if (suffix) blobs.set(path, blob);
  const mediaType = `${LAYER}${suffix}`;
  return { blob, diffId, mediaType, blobLen: file.size, annotations: {}, source: ofFile(file) };
}

function readList(bytes: Uint8Array, what: string): Listed[] {
  return list(readAny(bytes, what), what, IMAGES).map((value) => {
    const config = isObject(value) ? text(value.Config) : "";
    if (!isObject(value) || config === "") throw failure("input", `${what} is not what docker save writes`);
    const names = (of: unknown, limit: number) => list(of, what, limit).map(text);
    return { config, tags: names(value.RepoTags, MANIFESTS).filter(Boolean), layers: names(value.Layers, LAYERS) };
  });
}

/** Whether a `manifest.json` is the list of an archive: layers may hold files of this name too. */
export async function isDockerArchive(folder: Folder, task: Task): Promise<boolean> {
  if (!folder.find("manifest.json")) return false;
  try {
    return readList(await readFile(folder, "manifest.json", DOCKER_LIST_BYTES, task), "manifest.json").length > 0;
  } catch {
    task.signal.throwIfAborted();
    return false;
  }
}

