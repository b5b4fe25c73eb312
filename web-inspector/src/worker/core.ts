// The core, once it is there.

import init, * as core from "@shingle/core";

export { core };

let started: Promise<unknown> | undefined;

/** Starts the core; once is enough. */
export function ready(): Promise<unknown> {
  started ??= init();
  return started;
}

/** The digest of bytes. */
export function digestOf(bytes: Uint8Array): string {
  const hash = new core.Sha256();
  hash.update(bytes);
  return hash.finish();
}

interface Freeable {
  free(): void;
}

/** Frees an object of the core. One in the midst of which the core stopped cannot be freed: then it counts that it stopped. */
export function free(object: Freeable): void {
  try {
    object.free();
  } catch {
    // Said above.
  }
}

/** Does something with an object of the core that is done with then. */
export function freeing<T extends Freeable, R>(object: T, work: (object: T) => R): R {
  try {
    return work(object);
  } finally {
    free(object);
  }
}

/** Does something before an object of the core is used further; frees it if that fails or is cancelled. Else its memory
    would stay until the browser happens to collect what refers to it, which it does not know to be large. */
export async function freedIfFails<T extends Freeable, R>(object: T, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    free(object);
    throw error;
  }
}

/** A policy to look with: that nothing but the manifest vouches for a TOC is enough to show it. */
export const LOOKING: core.PolicyChanges = { trust: "toc" };
