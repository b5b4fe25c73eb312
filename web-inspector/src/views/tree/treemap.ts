// A treemap: what a directory holds lies in its rectangle, each as large as it has bytes.

import type { NodeIndex } from "../../protocol";
import { Builder, type Layout, partsOfNode, partsOfRest, seen } from "./layout";
import type { Tree } from "./model";

/** Smaller paths are not drawn by themselves, in square CSS pixels. */
const SMALLEST = 48;
/** The height of a directory's head with its name, and the room around what it holds. */
const HEAD = 20;
const EDGE = 2;
/** Narrower directories are not entered. */
const ENTERED = 10;

/** The treemap of what is below `root`. */
export function treemap(tree: Tree, root: NodeIndex, width: number, height: number): Layout {
  const builder = new Builder();
  if ((tree.bytes[root] ?? 0) > 0 && width > 0 && height > 0) fill(builder, tree, root, 0, 0, width, height);
  return builder.finish(root, width, height, HEAD, false);
}

function fill(builder: Builder, tree: Tree, node: NodeIndex, x: number, y: number, w: number, h: number): void {
  const box = builder.add(node, 0, x, y, w, h);
  partsOfNode(builder, tree, box, node);
  if (tree.end(node) > node + 1 && w >= ENTERED && h >= ENTERED) {
    // A head that would take most of the rectangle is left out.
    const head = h >= 2.5 * HEAD && w >= 2 * HEAD ? HEAD : EDGE;
    const inner = { x: x + EDGE, y: y + head, w: w - 2 * EDGE, h: h - head - EDGE };
    const whole = tree.bytes[node]!;
    const least = (SMALLEST * whole) / (inner.w * inner.h);
    // One rectangle for everything would say no more than the directory's own.
    if (tree.biggest[node]! >= least) {
      const { nodes, rest, restBytes } = seen(tree, node, least);
      builder.open[box] = 1;
      const sizes = Array.from(nodes, (child) => tree.bytes[child]!);
      if (restBytes > 0) sizes.push(restBytes);
      const tiles = squarify(sizes, whole, inner);
      nodes.forEach((child, at) => {
        const tile = 4 * at;
        fill(builder, tree, child, tiles[tile]!, tiles[tile + 1]!, tiles[tile + 2]!, tiles[tile + 3]!);
      });
      if (rest > 0 && restBytes > 0) {
        const tile = 4 * nodes.length;
        const more = builder.add(node, rest, tiles[tile]!, tiles[tile + 1]!, tiles[tile + 2]!, tiles[tile + 3]!);
        partsOfRest(builder, tree, more, node, nodes);
      }
    }
  }
  builder.skip[box] = builder.count;
}

interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

/**
 * Cuts a rectangle into tiles of these sizes, as square as it goes: rows along the shorter side, each as long as its worst
 * tile becomes better by one more. Sizes sum up to `whole`; only the last may be larger than the one before.
 * Returns x, y, width and height of each.
 * Bruls, Huizing, van Wijk: Squarified Treemaps, 2000.
 */
function squarify(sizes: ArrayLike<number>, whole: number, box: Box): Float64Array {
  const tiles = new Float64Array(4 * sizes.length);
  let { x, y, w, h } = box;
  const scale = whole > 0 ? (w * h) / whole : 0;
  let first = 0;
  while (first < sizes.length) {
    const side = Math.max(Math.min(w, h), Number.MIN_VALUE);
    let end = first + 1;
    let area = sizes[first]! * scale;
    let largest = area;
    let smallest = area;
    let worst = ratio(area, largest, smallest, side);
    for (; end < sizes.length; end += 1) {
      const next = sizes[end]! * scale;
      const wider = Math.max(largest, next);
      const narrower = Math.min(smallest, next);
      const then = ratio(area + next, wider, narrower, side);
      if (then > worst) break;
      [area, largest, smallest, worst] = [area + next, wider, narrower, then];
    }
    const thick = Math.min(area / side, w > h ? w : h);
    let along = w > h ? y : x;
    for (let tile = first; tile < end; tile += 1) {
      const long = area > 0 ? (sizes[tile]! * scale * side) / area : 0;
      tiles.set(w > h ? [x, along, thick, long] : [along, y, long, thick], 4 * tile);
      along += long;
    }
    if (w > h) [x, w] = [x + thick, Math.max(0, w - thick)];
    else [y, h] = [y + thick, Math.max(0, h - thick)];
    first = end;
  }
  return tiles;
}

/** How far the worst tile of a row is from a square. */
function ratio(area: number, largest: number, smallest: number, side: number): number {
  const sides = side * side;
  return Math.max((sides * largest) / (area * area), (area * area) / (sides * smallest));
}
