// Directories as skopeo's `dir:` makes them: a manifest, and blobs by their digests' digits.

import { digestOf } from "../core";
import type { FoundImage } from "../image/found";
import { KIB, MANIFEST_BYTES } from "../limits";
import type { Task } from "../task";
import { imageAt, readFile, type Place } from "./blobs";
import type { Folder } from "./folder";

/** Finds the image of a directory. */
export async function directoryImage(folder: Folder, from: string, task: Task): Promise<FoundImage> {
  const bytes = await readFile(folder, "manifest.json", MANIFEST_BYTES, task);
  const place: Place = (kind, digest) => `${digest.slice("sha256:".length)}${kind === "manifest" ? ".manifest.json" : ""}`;
  const found = await imageAt(folder, { bytes, digest: digestOf(bytes), contentType: "" }, place, task);
  return { name: folder.name, origin: { from: "file", name: from }, ...found };
}

/** Whether a folder says that it is such a directory. */
export async function isDirectory(folder: Folder, task: Task): Promise<boolean> {
  const version = folder.find("version");
  if (!version || version.size > KIB || !folder.find("manifest.json")) return false;
  const text = new TextDecoder().decode(await readFile(folder, "version", KIB, task));
  return text.startsWith("Directory Transport Version: 1");
}
