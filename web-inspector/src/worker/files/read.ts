// Files that are read from front to back.

import { piecesOf, type Bytes } from "../bytes";
import type { Task } from "../task";

/** The pieces of a file; the page hears how far it is, of what was done with them. */
export async function* readThrough(file: Blob, what: string, task: Task): AsyncGenerator<Bytes> {
  let done = 0;
  for await (const piece of piecesOf(file.stream(), task.signal)) {
    yield piece;
    done += piece.length;
    task.progress({ what, done, total: file.size, unit: "bytes" });
  }
}
