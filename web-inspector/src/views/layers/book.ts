// What frames are: asked of the worker once, and remembered.

import type { Call } from "../../client";
import type { Calls, ImageIndex } from "../../protocol";
import { NONE } from "./frames";

export type FrameInfo = Calls["frame"]["answer"];

/** How many are remembered. */
const REMEMBERED = 5_000;

/** The frames of one layer that somebody looked at. */
export class FrameBook {
  readonly #known = new Map<string, FrameInfo | undefined>();
  readonly #asked = new Map<string, Promise<FrameInfo | undefined>>();
  readonly #ended = new AbortController();

  constructor(
    private readonly call: Call,
    private readonly image: ImageIndex,
    private readonly layer: number,
  ) {}

  /** What is remembered of a chunk of an entry; undefined if nothing is. */
  known(entry: number, chunk: number): FrameInfo | undefined {
    return this.#known.get(key(entry, chunk));
  }

  /** Looks up what a frame is; undefined if it is no file's, or nobody can say. */
  ask(entry: number, chunk: number): Promise<FrameInfo | undefined> {
    const at = key(entry, chunk);
    if (entry === NONE || this.#known.has(at)) return Promise.resolve(this.#known.get(at));
    const under = this.#asked.get(at);
    if (under) return under;
    const { image, layer } = this;
    const asked = this.call("frame", { image, layer, entry, chunk }, { signal: this.#ended.signal }).then(
      (info) => this.#keep(at, info),
      () => (this.#ended.signal.aborted ? undefined : this.#keep(at, undefined)),
    );
    this.#asked.set(at, asked);
    return asked;
  }

  /** Ends what is under way. */
  close(): void {
    this.#ended.abort();
  }

  #keep(at: string, info: FrameInfo | undefined): FrameInfo | undefined {
    this.#asked.delete(at);
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(at, info);
    return info;
  }
}

function key(entry: number, chunk: number): string {
  return `${entry} ${chunk}`;
}
