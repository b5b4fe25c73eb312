// What was dropped or chosen: found out by what is in it, not by its name.

import type { Opened } from "../../protocol";
import { freedIfFails, freeing } from "../core";
import { failure, Faults } from "../fault";
import type { FoundImage } from "../image/found";
import { openFound } from "../image/open";
import { FILES, KIB } from "../limits";
import { freeLayers, type Session, type SessionImage } from "../session";
import type { Task } from "../task";
import { unused } from "../text";
import { blobImage, readUnnamed } from "./blob";
import { isExported, readExported } from "./exported";
import { ofFiles, ofTar } from "./folder";
import { imagesIn } from "./images";
import { formOf } from "./magic";
import { firstNames, ofPacked } from "./packed";
import { clean, members } from "./tar";
import { gunzip, headOf } from "./unpack";

interface Given {
  path: string;
  file: File;
}

const KINDS =
  "What opens here: OCI layouts, docker save archives and skopeo's dir:, as a folder, .tar, .tar.gz or .tar.zst; the blob of a " +
  "layer; files that shingle inspect --export or this page wrote.";

/** What exported files are called, so that a broken one is not taken for a layer. */
const EXPORTED = ".shingle-tocs";

/** Files that are looked into one by one. */
const LOOKED_INTO = 1000;

/** Opens files, and the images in them. */
export async function openFiles(session: Session, files: Given[], task: Task): Promise<Opened> {
  if (files.length === 0) throw failure("input", "No file was given.", { hint: KINDS });
  if (files.length > FILES) throw failure("limit", `At most ${FILES} files are taken at once.`);
  const byPath = new Map<string, File>();
  // Two that were dropped together may have the same path.
  for (const { path, file } of files) byPath.set(unused(byPath, clean(path) || file.name), file);
  const faults = new Faults();
  const inFolder = await imagesIn(ofFiles("the folder", byPath), "", faults, task);
  const images = inFolder ?? [];
  // Where a folder holds images its other files are just there; what was given by itself is meant.
  const inTop = inFolder && ["oci-layout", "manifest.json"].some((path) => byPath.has(path));
  const others = [...byPath].filter(([path]) => !inFolder || !(inTop || path.includes("/")));
  if (others.length > LOOKED_INTO) {
    throw failure("input", `There is no image among ${others.length} files, which are too many to look into each.`, { hint: KINDS });
  }
  const exported: [string, File][] = [];
  const unknown: string[] = [];
  for (const [path, file] of others) {
    const name = baseName(path);
    const found = (await faults.attempt(`${name} cannot be opened.`, () => inFile(file, name, faults, task))) ?? [];
    if (found === "exported") exported.push([name, file]);
    else if (found === "unknown") unknown.push(path);
    else images.push(...found);
  }
  const nothing = images.length === 0 && exported.length === 0 && faults.none;
  if (nothing || unknown.some((path) => !path.includes("/"))) {
    const [first = "", ...more] = unknown;
    const which = more.length > 0 ? `${first} and ${more.length} more files are` : `${first} is`;
    faults.keep(failure("input", `${which} nothing that can be opened here.`, { hint: KINDS }));
  }
  const ready: SessionImage[] = [];
  try {
    for (const [name, file] of exported) {
      const read = () => readExported(gunzip(file, task.signal), { from: "file", name }, name, task);
      ready.push(...((await faults.attempt(`${name} cannot be opened.`, read)) ?? []));
    }
    return await openFound(session, images, ready, faults, task);
  } catch (error) {
    freeLayers(ready);
    throw error;
  }
}

/** Finds the images in one file. */
async function inFile(file: File, name: string, faults: Faults, task: Task): Promise<FoundImage[] | "exported" | "unknown"> {
  const form = await formOf(file);
  if (form === "other") return "unknown";
  const plainName = name.replace(/\.(tar|tgz|tar\.(gz|zst))$/i, "");
  const packed = async () => imagesIn(await ofPacked(plainName, file, task), name, faults, task);
  let found: FoundImage[] | undefined;
  if (form === "tar") {
    const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
    if (await mayBeArchive(head, task)) found = await imagesIn(await ofTar(plainName, file, task.signal), name, faults, task);
  } else if (form === "gzip") {
    const head = await headOf(file, HEAD, task.signal);
    if (isExported(head) || name.endsWith(EXPORTED)) return "exported";
    if (await mayBeArchive(head, task)) found = await packed();
  }
  if (found) return found;
  const layer = await readUnnamed(file, name, task);
  // Browsers cannot look into zstd: what is in it shows only when it was read.
  if (form === "zstd" && freeing(layer.verified.toc(), firstNames).some(isOfArchive)) {
    found = await freedIfFails(layer.verified, packed);
    if (found) {
      layer.verified.free();
      return found;
    }
  }
  return [await blobImage(file, name, form, layer, task)];
}

/** How much of a file is looked at to tell what it is. */
const HEAD = 64 * KIB;

/** Names that archives of images begin with, in a folder or not; layers hardly do. */
const ARCHIVES =
  /^(([^/]+\/)?(blobs(\/sha256(\/[0-9a-f]{64})?)?|oci-layout|index\.json)|manifest\.json|repositories|[0-9a-f]{64}(\.(tar|json)|\/.*)?)$/;

function isOfArchive(name: string): boolean {
  return ARCHIVES.test(clean(name) ?? "");
}

/** Whether a tar that begins so may hold images: layers may have very many members, which nobody wants to look through. */
async function mayBeArchive(head: Uint8Array, { signal }: Task): Promise<boolean> {
  const readable = {
    // Contents may go on beyond what there is of it.
    size: Number.MAX_SAFE_INTEGER,
    read: (start: number, end: number) => Promise.resolve(head.subarray(start, end)),
  };
  try {
    for await (const { name } of members(readable, signal)) if (isOfArchive(name)) return true;
  } catch {
    // The head ends somewhere.
    signal.throwIfAborted();
  }
  return false;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
