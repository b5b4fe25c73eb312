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

/** A policy to look with: that nothing but the manifest vouches for a TOC is enough to show it. */
export const LOOKING: core.PolicyChanges = { trust: "toc" };
