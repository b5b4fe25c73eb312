// An icicle: a row for each depth, directories above what they hold, as wide as they have bytes.

import type { NodeIndex } from "../../protocol";
import { Builder, type Layout, partsOfNode, partsOfRest, seen } from "./layout";
import type { Tree } from "./model";

/** Narrower paths are not drawn by themselves, in CSS pixels. */
const NARROWEST = 1.5;
/** The least height of rows, in CSS pixels; few of them take all the height there is. */
const ROW = 20;

/** The icicle of what is below `root`. */
export function icicle(tree: Tree, root: NodeIndex, width: number, height: number): Layout {
  const builder = new Builder();
  const whole = tree.bytes[root] ?? 0;
  const rows = Math.max(1, Math.floor(height / ROW));
  if (!(whole > 0) || !(width > 0)) return builder.finish(root, width, height, ROW, true);
  const scale = width / whole;
  const deepest = descend(builder, tree, root, { x: 0, width, scale, depth: 0, rows });
  const row = Math.max(ROW, Math.floor(height / (deepest + 1)));
  for (let box = 0; box < builder.count; box += 1) {
    // So far the depth.
    builder.y[box]! *= row;
    builder.h[box] = row;
  }
  return builder.finish(root, width, height, row, true);
}

interface Place {
  x: number;
  width: number;
  scale: number;
  depth: number;
  rows: number;
}

/** Adds a path and what is below it; returns the greatest depth. `y` is the depth for now. */
function descend(builder: Builder, tree: Tree, node: NodeIndex, place: Place): number {
  const { scale, depth, rows } = place;
  const box = builder.add(node, 0, place.x, depth, place.width, 1);
  partsOfNode(builder, tree, box, node);
  let deepest = depth;
  if (depth + 1 < rows && tree.end(node) > node + 1) {
    const { nodes, rest, restBytes } = seen(tree, node, NARROWEST / scale);
    let x = place.x;
    for (const child of nodes) {
      const width = tree.bytes[child]! * scale;
      deepest = Math.max(deepest, descend(builder, tree, child, { x, width, scale, depth: depth + 1, rows }));
      x += width;
    }
    if (rest > 0 && restBytes * scale >= NARROWEST) {
      const more = builder.add(node, rest, x, depth + 1, restBytes * scale, 1);
      partsOfRest(builder, tree, more, node, nodes);
      deepest = Math.max(deepest, depth + 1);
    }
  }
  builder.skip[box] = builder.count;
  return deepest;
}
