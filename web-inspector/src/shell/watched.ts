import { useLayoutEffect, useState } from "preact/hooks";

/** Something that changes and is shown. */
export class Watched {
  #watchers = new Set<() => void>();

  /** Hears of every change, until what is returned is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  protected changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

/** Draws the component anew whenever `thing` changes. */
export function useWatched(thing: Watched): void {
  const [, draw] = useState({});
  // Before anything else can run: what changes meanwhile would be missed.
  useLayoutEffect(() => thing.watch(() => draw({})), [thing]);
}
