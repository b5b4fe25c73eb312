// The way from one picture to the next when the reader zooms. No DOM.

import { eased } from "../../canvas/zoom";
import { boxOf, type Layout } from "./layout";
import type { Tree } from "./model";

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** How long a zoom takes, in milliseconds. */
export const GLIDE_MS = 280;

/** Where two pictures are at a moment of a zoom, and how much of the new one is seen. */
export interface Moment {
  old: Box;
  new: Box;
  /** 0 to 1. */
  shown: number;
}

/** The zoom from one layout to another; `undefined` if neither is in the other. */
export function glide(tree: Tree, from: Layout, to: Layout): ((share: number) => Moment) | undefined {
  const inward = tree.holds(from.root, to.root);
  const [outer, inner] = inward ? [from, to] : [to, from];
  const box = boxOf(outer, tree, inner.root);
  if (box < 0 || from.width !== to.width || from.height !== to.height) return undefined;
  const full: Box = { x: 0, y: 0, w: outer.width, h: outer.height };
  // What an icicle's directory holds is below it, row on row.
  const high = outer.below ? (inner.height * outer.row) / inner.row : outer.h[box]!;
  const place: Box = { x: outer.x[box]!, y: outer.y[box]!, w: Math.max(1, outer.w[box]!), h: Math.max(1, high) };
  return (share) => {
    const t = eased(share);
    const at = mix(place, full, inward ? t : 1 - t);
    const around = carried(full, place, at);
    return inward ? { old: around, new: at, shown: t } : { old: at, new: around, shown: t };
  };
}

/** Where `box` goes when `from` goes to `to`. */
function carried(box: Box, from: Box, to: Box): Box {
  const [sx, sy] = [to.w / from.w, to.h / from.h];
  return { x: to.x + (box.x - from.x) * sx, y: to.y + (box.y - from.y) * sy, w: box.w * sx, h: box.h * sy };
}

function mix(a: Box, b: Box, t: number): Box {
  return { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t, w: a.w + (b.w - a.w) * t, h: a.h + (b.h - a.h) * t };
}
