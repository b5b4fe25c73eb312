// The entry of a path that is no file with content: the core keeps no index of those.

import type { Kind, TocColumns } from "@shingle/core";
import { KINDS, type ImageIndex } from "../../protocol";
import { freeing } from "../core";
import type { Session } from "../session";

const [DOT, SLASH] = [0x2e, 0x2f];

/** The highest layer that has the path as this kind, and the index of its last entry there. */
export function entryOf(session: Session, image: ImageIndex, path: Uint8Array, kind: Kind): [number, number] | undefined {
  const wanted = KINDS.indexOf(kind);
  const layers = session.layers(image);
  for (let layer = layers.length - 1; layer >= 0; layer -= 1) {
    const columns = freeing(session.layer(image, layer).toc(), (toc) => toc.columns());
    const index = lastIndexOf(columns, path, wanted);
    if (index >= 0) return [layer, index];
  }
  return undefined;
}

function lastIndexOf({ names, nameEnds, kinds }: TocColumns, path: Uint8Array, kind: number): number {
  for (let index = kinds.length - 1; index >= 0; index -= 1) {
    if (kinds[index] !== kind) continue;
    let start = index === 0 ? 0 : (nameEnds[index - 1] ?? 0);
    let end = nameEnds[index] ?? 0;
    // Tars write `./a/` for what is `a` here.
    while (end > start && names[end - 1] === SLASH) end -= 1;
    while (start < end && (names[start] === SLASH || (names[start] === DOT && (start + 1 === end || names[start + 1] === SLASH)))) {
      start += 1;
    }
    if (end - start === path.length && path.every((byte, at) => byte === names[start + at])) return index;
  }
  return -1;
}
