// The digest of a file.

import { core } from "../core";
import type { Task } from "../task";
import { readThrough } from "./read";

/** Reads a file through for its digest. */
export async function hashed(file: Blob, task: Task, what: string): Promise<string> {
  const hash = new core.Sha256();
  for await (const piece of readThrough(file, what, task)) hash.update(piece);
  return hash.finish();
}
