// What a picture in a file needs around it: a title, and what colours and patterns mean. No DOM.

import { bytes, percent } from "../../format";
import { STATES } from "../../parts/looks";
import { PARTS } from "../../parts/nodes";
import type { Pen } from "./draw";
import type { Layout } from "./layout";
import type { Tree } from "./model";

/** Room above the picture. */
export const HEAD = 28;
/** The height of an entry of the legend, and the width that one needs. */
const LINE = 24;
const ENTRY = 250;
const SWATCH = 16;

/** Draws around the picture, which is `HEAD` below the top; returns the height of all. */
export function frame(pen: Pen, layout: Layout, tree: Tree, title: string): number {
  const { width, height, root } = layout;
  pen.label(title, "", false, 0, 0, width, HEAD);
  const columns = Math.max(1, Math.min(PARTS.length, Math.floor(width / ENTRY)));
  PARTS.forEach((part, at) => {
    const x = (at % columns) * (width / columns);
    const y = HEAD + height + 6 + LINE * Math.floor(at / columns);
    const value = tree.arrays[part][root] ?? 0;
    const look = STATES[part];
    pen.fill(look, x + 4, y + 4, SWATCH, SWATCH);
    const said = `${look.name} ${bytes(value)}, ${percent(value, tree.bytes[root] ?? 0)}`;
    pen.label(said, "", false, x + SWATCH + 8, y, width / columns - SWATCH - 8, LINE);
  });
  return HEAD + height + 12 + LINE * Math.ceil(PARTS.length / columns);
}
