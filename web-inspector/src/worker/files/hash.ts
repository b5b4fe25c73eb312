// The digest of a file.

import { piecesOf } from "../bytes";
import { core } from "../core";
import type { Task } from "../task";

/** Reads a file through for its digest. */
export async function hashed(file: Blob, task: Task, what: string): Promise<string> {
  const hash = new core.Sha256();
  let done = 0;
  for await (const piece of piecesOf(file.stream(), task.signal)) {
    hash.update(piece);
    done += piece.length;
    task.progress({ what, done, total: file.size, unit: "bytes" });
  }
  return hash.finish();
}
