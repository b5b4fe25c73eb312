// Gzip by the browser: exported files, and the first bytes of others. Layers and archives go to the core, which knows zstd too,
// and several gzip members one after the other.

import { piecesOf, type Bytes } from "../bytes";
import { failure } from "../fault";
import { KIB } from "../limits";

/** What is decompressed at once: browsers hold all that it unfolds to, up to 1032 times as much. */
const PIECE = 8 * KIB;

/** What a gzip file holds, as it comes. */
export async function* gunzip(file: Blob, signal: AbortSignal): AsyncGenerator<Bytes> {
  const small = new TransformStream<Bytes, Bytes>({
    transform: (bytes, controller) => {
      for (let at = 0; at < bytes.length; at += PIECE) controller.enqueue(bytes.subarray(at, at + PIECE));
    },
  });
  try {
    yield* piecesOf(file.stream().pipeThrough(small).pipeThrough(new DecompressionStream("gzip")), signal);
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
