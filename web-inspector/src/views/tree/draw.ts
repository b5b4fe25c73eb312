// Draws a layout with any pen: the screen's or a file's. No DOM.

import type { Token } from "../../canvas/theme";
import { bytes, count } from "../../format";
import { type Look, STATES } from "../../parts/looks";
import { PARTS } from "../../parts/nodes";
import type { Route } from "../../route";
import type { Layout } from "./layout";
import type { Tree } from "./model";
import { pathOf } from "./words";

/** What a rectangle's colour says. */
export type Colouring = Route["colour"];

/** Something to draw with. */
export interface Pen {
  fill(look: Look, x: number, y: number, w: number, h: number): void;
  plain(token: Token, x: number, y: number, w: number, h: number): void;
  /** Inside the rectangle. */
  outline(token: Token, thick: number, x: number, y: number, w: number, h: number): void;
  /** One line, cut to the width, and `more` where both fit; on a plate where a pattern lies below it. */
  label(text: string, more: string, plate: boolean, x: number, y: number, w: number, h: number): void;
  /** What the rectangle just begun is, for those who point at it; pens of the screen need not know. */
  about?(text: string): void;
}

/** No name fits into less, in CSS pixels. */
const LABELLED = { w: 30, h: 15 } as const;

/** Draws all of a layout; `matches` are rectangles to stand out. */
export function draw(pen: Pen, layout: Layout, tree: Tree, colouring: Colouring, matches: Iterable<number>): void {
  for (const _ of drawing(pen, layout, tree, colouring, matches));
}

/** The same bit by bit: it can be left and taken up again. */
export function* drawing(
  pen: Pen,
  layout: Layout,
  tree: Tree,
  colouring: Colouring,
  matches: Iterable<number>,
): Generator<undefined, void> {
  for (let box = 0; box < layout.count; box += 1) {
    drawBox(pen, layout, tree, box, colouring);
    if (box % STEP === STEP - 1) yield;
  }
  for (const box of matches) {
    // Wide enough to be found, however small it is.
    const [x, y, w, h] = inner(layout, box);
    const [wide, high] = [Math.max(w, FOUND), Math.max(h, FOUND)];
    const [left, top] = [Math.max(0, x - (wide - w) / 2), Math.max(0, y - (high - h) / 2)];
    pen.outline("ground", 4, left, top, wide, high);
    pen.outline("alarm", 2, left, top, wide, high);
  }
}

/** The least side of a match's outline. */
const FOUND = 9;
/** So many rectangles are drawn in one go. */
const STEP = 64;

function drawBox(pen: Pen, layout: Layout, tree: Tree, box: number, colouring: Colouring): void {
  const [x, y, w, h] = inner(layout, box);
  pen.about?.(words(layout, tree, box));
  const open = layout.open[box] === 1;
  if (open) {
    pen.plain("raised", x, y, w, h);
    pen.outline("line", 1, x, y, w, h);
  } else if (colouring === "most" || w < 4) {
    pen.fill(STATES[PARTS[most(layout, box)]!], x, y, w, h);
  } else {
    split(pen, layout, box, x, y, w, h);
  }
  const high = open ? Math.min(h, layout.row) : h;
  if (w < LABELLED.w || high < LABELLED.h) return;
  // A directory without a head has its first child where the name would be.
  if (open && (layout.skip[box]! <= box + 1 || layout.y[box + 1]! - layout.y[box]! < LABELLED.h)) return;
  pen.label(label(layout, tree, box), bytes(bytesOf(layout, box)), !open, x, y, w, high);
}

function split(pen: Pen, layout: Layout, box: number, x: number, y: number, w: number, h: number): void {
  const from = box * PARTS.length;
  let all = 0;
  for (let part = 0; part < PARTS.length; part += 1) all += layout.parts[from + part]!;
  if (!(all > 0)) return;
  let sum = 0;
  let drawn = 0;
  for (let part = 0; part < PARTS.length; part += 1) {
    sum += layout.parts[from + part]!;
    const end = (w * sum) / all;
    // What is too narrow to be seen goes to the part after it.
    if (end - drawn < 0.5) continue;
    pen.fill(STATES[PARTS[part]!], x + drawn, y, end - drawn, h);
    drawn = end;
  }
}

/** The part, by its index in `PARTS`, that most of a rectangle's bytes are. */
function most(layout: Layout, box: number): number {
  const from = box * PARTS.length;
  let best = 0;
  for (let part = 1; part < PARTS.length; part += 1) {
    if (layout.parts[from + part]! > layout.parts[from + best]!) best = part;
  }
  return best;
}

/** A rectangle without the gap that keeps it apart from the next. */
export function inner(layout: Layout, box: number): [x: number, y: number, w: number, h: number] {
  const [w, h] = [layout.w[box]!, layout.h[box]!];
  return [layout.x[box]!, layout.y[box]!, w > 4 ? w - 1 : w, h > 4 ? h - 1 : h];
}

/** All bytes of a rectangle. */
export function bytesOf(layout: Layout, box: number): number {
  let all = 0;
  for (let part = 0; part < PARTS.length; part += 1) all += layout.parts[box * PARTS.length + part]!;
  return all;
}

function label(layout: Layout, tree: Tree, box: number): string {
  const rest = layout.rest[box]!;
  if (rest > 0) return `and ${count(rest)} more`;
  const node = layout.node[box]!;
  const name = node === 0 ? "/" : tree.label(node);
  return tree.isGone(node) ? `${name} (removed)` : name;
}

function words(layout: Layout, tree: Tree, box: number): string {
  const rest = layout.rest[box]!;
  const path = pathOf(tree, layout.node[box]!);
  return `${rest > 0 ? `${count(rest)} more in ${path}` : path}: ${bytes(bytesOf(layout, box))}`;
}
