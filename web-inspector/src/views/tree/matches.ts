// What the picture is to show, and where its matches are. No DOM.

import type { NodeIndex } from "../../protocol";
import type { Colouring } from "./draw";
import { boxOf, type Layout, type PictureName } from "./layout";
import type { Tree } from "./model";

/** What is to be seen. */
export interface Wanted {
  tree: Tree;
  root: NodeIndex;
  picture: PictureName;
  colouring: Colouring;
  /** Paths to stand out. */
  matches: Uint32Array;
}

/** The rectangles that show matches, each once. */
export function matchBoxes(layout: Layout, { tree, matches }: Pick<Wanted, "tree" | "matches">): Set<number> {
  const boxes = new Set<number>();
  for (const node of matches) {
    // What has no bytes has no rectangle, and that of its directory would say too much.
    if (!(tree.bytes[node]! > 0)) continue;
    const box = boxOf(layout, tree, node);
    if (box >= 0) boxes.add(box);
  }
  return boxes;
}
