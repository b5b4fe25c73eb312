// Compressed bytes fed to the core in small pieces: a few of them can unfold to very many, and a call should end when
// nobody wants its answer any more.

import { messages } from "./task";

/** What is handed on at once: zstd's longest frame of zeros makes some 128 MiB of it. */
const PIECE = 4096;
/** How long messages may wait, in milliseconds. */
const PATIENCE = 50;

/** Feeds pieces to something, and lets messages in between; ends early when it is aborted. */
export class Feeder {
  #since = performance.now();

  constructor(
    readonly signal: AbortSignal,
    readonly take: (bytes: Uint8Array) => void,
  ) {}

  async feed(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += PIECE) {
      this.take(bytes.subarray(at, at + PIECE));
      if (performance.now() - this.#since < PATIENCE) continue;
      await messages();
      this.signal.throwIfAborted();
      this.#since = performance.now();
    }
  }
}
