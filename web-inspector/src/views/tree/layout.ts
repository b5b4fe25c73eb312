// Rectangles for the visible part of a tree. No DOM: the picture, files and tests use the same.
//
// The work grows with what is seen, not with the tree: a directory is entered only where it is wide enough for that, and
// what it holds that is too small to be seen becomes one rectangle, "and N more".

import type { Boxes } from "../../canvas/hit";
import { PARTS } from "../../parts/nodes";
import type { NodeIndex } from "../../protocol";
import type { Tree } from "./model";

/** How pictures are drawn. */
export type PictureName = "icicle" | "treemap";

export interface Layout extends Boxes {
  readonly root: NodeIndex;
  readonly width: number;
  readonly height: number;
  /** The path of each rectangle; the directory of one for many. */
  readonly node: Uint32Array;
  /** For so many paths a rectangle stands; 0 for its one. */
  readonly rest: Uint32Array;
  /** Whether what a rectangle holds is drawn in it: then only its head is seen. */
  readonly open: Uint8Array;
  /** The bytes of each rectangle by parts, one after the other in the order of `PARTS`. */
  readonly parts: Float64Array;
  /** The height of a row or of a directory's head. */
  readonly row: number;
}

/** Makes a layout rectangle by rectangle. */
export class Builder {
  count = 0;
  #room = 0;
  x!: Float64Array;
  y!: Float64Array;
  w!: Float64Array;
  h!: Float64Array;
  node!: Uint32Array;
  rest!: Uint32Array;
  open!: Uint8Array;
  skip!: Uint32Array;
  parts!: Float64Array;

  constructor() {
    this.#grow(1024);
  }

  /** Adds a rectangle, and returns its number. */
  add(node: NodeIndex, rest: number, x: number, y: number, w: number, h: number): number {
    if (this.count === this.#room) this.#grow(this.#room * 2);
    const at = this.count;
    this.count += 1;
    this.node[at] = node;
    this.rest[at] = rest;
    this.x[at] = x;
    this.y[at] = y;
    this.w[at] = w;
    this.h[at] = h;
    this.skip[at] = at + 1;
    return at;
  }

  finish(root: NodeIndex, width: number, height: number, row: number, below: boolean): Layout {
    const { count, x, y, w, h, node, rest, open, skip, parts } = this;
    return { root, width, height, row, below, count, x, y, w, h, node, rest, open, skip, parts };
  }

  #grow(room: number): void {
    const floats = (old: Float64Array | undefined, each = 1) => {
      const grown = new Float64Array(room * each);
      if (old) grown.set(old);
      return grown;
    };
    const whole = (old: Uint32Array | undefined) => {
      const grown = new Uint32Array(room);
      if (old) grown.set(old);
      return grown;
    };
    const open = new Uint8Array(room);
    if (this.open) open.set(this.open);
    this.open = open;
    this.x = floats(this.x);
    this.y = floats(this.y);
    this.w = floats(this.w);
    this.h = floats(this.h);
    this.node = whole(this.node);
    this.rest = whole(this.rest);
    this.skip = whole(this.skip);
    this.parts = floats(this.parts, PARTS.length);
    this.#room = room;
  }
}

/** What of a directory is seen: its larger children, and the others as one. */
export interface Seen {
  /** The largest first. */
  readonly nodes: Uint32Array;
  /** How many are too small, and their bytes. */
  readonly rest: number;
  readonly restBytes: number;
}

/** The children with at least `least` bytes. */
export function seen(tree: Tree, directory: NodeIndex, least: number): Seen {
  const { bytes } = tree;
  const end = tree.end(directory);
  const large: NodeIndex[] = [];
  let rest = 0;
  let restBytes = 0;
  for (let child = directory + 1; child < end; child = tree.next(child)) {
    const size = bytes[child]!;
    if (size > 0 && size >= least) {
      large.push(child);
    } else {
      rest += 1;
      restBytes += size;
    }
  }
  return { nodes: tree.sort(Uint32Array.from(large)), rest, restBytes };
}

/** Fills in the bytes of a path's rectangle. */
export function partsOfNode(builder: Builder, tree: Tree, box: number, node: NodeIndex): void {
  PARTS.forEach((part, at) => {
    builder.parts[box * PARTS.length + at] = tree.arrays[part][node]!;
  });
}

/** Fills in the bytes of the rectangle for what is not seen: the directory's without those that are. */
export function partsOfRest(builder: Builder, tree: Tree, box: number, directory: NodeIndex, nodes: Uint32Array): void {
  PARTS.forEach((part, at) => {
    const of = tree.arrays[part];
    let sum = of[directory]!;
    for (const node of nodes) sum -= of[node]!;
    builder.parts[box * PARTS.length + at] = Math.max(0, sum);
  });
}

/** The rectangle that shows a path: its own, or what stands for it and others, or the nearest directory above it; -1 for
 none. */
export function boxOf(layout: Layout, tree: Tree, node: NodeIndex): number {
  if (!tree.holds(layout.root, node)) return -1;
  const { own, rest } = places(layout);
  for (let at = node; ; at = tree.parent(at)) {
    const box = own.get(at);
    if (box !== undefined) return at === node ? box : (rest.get(at) ?? box);
    if (at === layout.root) return -1;
  }
}

interface Places {
  /** The rectangle of a path. */
  own: Map<NodeIndex, number>;
  /** The rectangle for what a directory holds and is too small. */
  rest: Map<NodeIndex, number>;
}

const known = new WeakMap<Layout, Places>();

function places(layout: Layout): Places {
  let found = known.get(layout);
  if (!found) {
    found = { own: new Map(), rest: new Map() };
    for (let box = 0; box < layout.count; box += 1) {
      (layout.rest[box]! > 0 ? found.rest : found.own).set(layout.node[box]!, box);
    }
    known.set(layout, found);
  }
  return found;
}
