// Documents and blobs that are files of a folder.

import { collect, piecesOf } from "../bytes";
import { digestOf } from "../core";
import { failure } from "../fault";
import type { Descriptor } from "../image/documents";
import { resolve, type Fetch, type Top } from "../image/found";
import { ofFile } from "../source";
import type { Task } from "../task";
import type { Folder } from "./folder";

/** The path of what has a digest. */
export type Place = (kind: "manifest" | "blob", digest: string) => string;

/** Follows the documents of a folder from the first one to the layers. */
export function imageAt(folder: Folder, top: Top, place: Place, task: Task) {
  const source = (layer: Descriptor) => ofFile(find(folder, place("blob", layer.digest), layer));
  return resolve(top, "any", fetchFrom(folder, place, task), source);
}

/** Reads documents of a folder. */
export function fetchFrom(folder: Folder, place: Place, task: Task): Fetch {
  return async (kind, wanted, limit) => {
    if (wanted.size > limit) throw failure("limit", `${wanted.digest} has ${wanted.size} bytes, at most ${limit} are read`);
    const file = find(folder, place(kind, wanted.digest), wanted);
    const bytes = await collect(piecesOf(file.stream(), task.signal), limit, wanted.digest);
    if (digestOf(bytes) !== wanted.digest) throw failure("lie", `the document ${wanted.digest} in ${folder.name} is another one`);
    return bytes;
  };
}

/** Reads a small file of a folder. */
export async function readFile(folder: Folder, path: string, limit: number, { signal }: Task): Promise<Uint8Array> {
  const file = folder.find(path);
  if (!file) throw failure("input", `there is no ${path} in ${folder.name}`);
  return collect(piecesOf(file.stream(), signal), limit, `${folder.name}/${path}`);
}

function find(folder: Folder, path: string, { digest, size }: Descriptor): Blob {
  const found = folder.find(path);
  if (!found) {
    throw failure("input", `the blob ${digest} is not in ${folder.name}`, {
      hint: "It is not complete: copy the image again, for example with skopeo copy.",
    });
  }
  if (found.size !== size) throw failure("lie", `the blob ${digest} has ${found.size} bytes, not ${size}`);
  return found;
}
