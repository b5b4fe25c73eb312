// Bytes in pieces.

import { failure } from "./fault";
import { Pauses } from "./task";

export type Bytes = Uint8Array<ArrayBuffer>;

/** The pieces of a stream, which ends with the iteration. */
export async function* piecesOf(stream: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<Bytes> {
  const reader = stream.getReader();
  const pauses = new Pauses(signal);
  try {
    for (;;) {
      // Pieces that are there already come without a pause.
      await pauses.take();
      const { done, value } = await reader.read();
      if (done) return;
      yield value as Bytes;
    }
  } finally {
    // Nobody waits for it, and a stream that failed already fails here again.
    reader.cancel().catch(() => undefined);
  }
}

/** All pieces as one; fails beyond `limit` bytes. */
export async function collect(pieces: AsyncIterable<Uint8Array>, limit: number, what: string): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > limit) throw failure("limit", `${what} is longer than ${limit} bytes`);
    parts.push(piece);
  }
  return joined(parts, length);
}

export function joined(parts: Uint8Array[], length: number): Bytes {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The bytes of a piece that begins at `at` which lie in a range. */
export function cut<T extends Uint8Array>(piece: T, at: number, start: number, end: number): T {
  const within = (place: number) => Math.min(Math.max(0, place - at), piece.length);
  return piece.subarray(within(start), Math.max(within(start), within(end))) as T;
}
