// Gzip by the browser: archives and exported files, not layers.

import { piecesOf, type Bytes } from "../bytes";
import { failure } from "../fault";
import { MIB, UNPACKED_BYTES } from "../limits";
import type { Task } from "../task";

/** What a gzip file holds, as it comes. */
export async function* gunzip(file: Blob, signal: AbortSignal): AsyncGenerator<Bytes> {
  try {
    yield* piecesOf(file.stream().pipeThrough(new DecompressionStream("gzip")), signal);
  } catch (error) {
    // What browsers throw for bytes that are no gzip.
    if (error instanceof TypeError) throw failure("input", "It cannot be decompressed.", { causes: [error.message] });
    throw error;
  }
}

/** The first bytes of what a gzip file holds; fewer where it cannot be decompressed. */
export async function headOf(file: Blob, length: number, signal: AbortSignal): Promise<Bytes> {
  const head = new Uint8Array(length);
  let at = 0;
  try {
    for await (const piece of gunzip(file, signal)) {
      const taken = piece.subarray(0, length - at);
      head.set(taken, at);
      at += taken.length;
      if (at === length) break;
    }
  } catch {
    // Several gzip members one after the other are junk to some browsers, and are no archive.
    signal.throwIfAborted();
  }
  return head.subarray(0, at);
}

/** Pieces this long are handed to the browser, which keeps large ones on disk. */
const PART = 8 * MIB;

/** Decompresses an archive. */
export async function unpacked(file: Blob, name: string, task: Task): Promise<Blob> {
  const done: Blob[] = [];
  let parts: Bytes[] = [];
  let [length, waiting] = [0, 0];
  for await (const piece of gunzip(file, task.signal)) {
    length += piece.length;
    if (length > UNPACKED_BYTES) {
      throw failure("limit", `${name} is longer than ${UNPACKED_BYTES / MIB} MiB once it is decompressed`, {
        hint: "Decompress it with gunzip, and open the tar.",
      });
    }
    parts.push(piece);
    waiting += piece.length;
    if (waiting < PART) continue;
    done.push(new Blob(parts));
    [parts, waiting] = [[], 0];
    task.progress({ what: `Decompressing ${name}`, done: length, total: 0, unit: "bytes" });
  }
  return new Blob([...done, ...parts]);
}
