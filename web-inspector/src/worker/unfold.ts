// Compressed bytes fed to the core in small pieces: a few of them can unfold to very many, and a call should end when
// nobody wants its answer any more.

import { Pauses } from "./task";

/** What is handed on at once: zstd's longest frame of zeros makes some 16 MiB of it. */
const PIECE = 512;

/** Feeds pieces to something, and lets messages in between; ends early when it is aborted. */
export class Feeder {
  readonly #pauses: Pauses;

  constructor(
    signal: AbortSignal,
    readonly take: (bytes: Uint8Array) => void,
  ) {
    this.#pauses = new Pauses(signal);
  }

  async feed(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += PIECE) {
      this.take(bytes.subarray(at, at + PIECE));
      if (this.#pauses.due) await this.#pauses.take();
    }
  }
}
