// Where the bytes of a blob come from.

import type { ByteRange } from "@shingle/core";
import { cut, piecesOf, type Bytes } from "./bytes";

/** What a source answers. */
export interface Answer {
  /** Where in the blob the pieces begin. */
  start: number;
  /** Whether they are all of the blob although a part was asked for. */
  whole: boolean;
  /** One after the other; perhaps more than was asked for, perhaps less. */
  pieces: AsyncGenerator<Bytes>;
}

/** One blob. */
export interface Source {
  /** Asks for a range, or for all; `undefined` where this range is not served, but all of it may be. */
  open(range: ByteRange | undefined, signal: AbortSignal): Promise<Answer | undefined>;
}

/** A blob in a file, or in a part of one. */
export function ofFile(file: Blob): Source {
  return {
    open: (range, signal) => {
      const part = range ? file.slice(range.start, range.end) : file;
      return Promise.resolve({ start: range?.start ?? 0, whole: false, pieces: piecesOf(part.stream(), signal) });
    },
  };
}

/** The bytes of an answer that lie in a range, as they come. */
export async function* within(answer: Answer, range: ByteRange): AsyncGenerator<Bytes> {
  let at = answer.start;
  for await (const piece of answer.pieces) {
    const wanted = cut(piece, at, range.start, range.end);
    at += piece.length;
    if (wanted.length > 0) yield wanted;
    if (at >= range.end) return;
  }
}
