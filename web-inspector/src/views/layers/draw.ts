// Draws strips on canvases: the bytes by pixels, and over them what marks and names single frames.

import type { Fills } from "../../canvas/fills";
import type { Frame as Picture } from "../../canvas/surface";
import type { Span } from "../../canvas/zoom";
import { bytes } from "../../format";
import type { Frames, Sums } from "./frames";
import { BAND, bytesPerPixel, type Grid, pieces, pixels, rowTop } from "./grid";
import { LOOKS, tiles } from "./looks";
import { paintRow, type Tiles } from "./paint";

/** A row of bytes, in CSS pixels. */
export interface Row {
  x: number;
  y: number;
  width: number;
  height: number;
  from: number;
  bytesPerPixel: number;
}

/** Keeps what is needed for each picture of a canvas. */
export class Painter {
  #image: ImageData | undefined;
  #fills: Fills | undefined;
  #tiles: Tiles | undefined;
  /** What the pixels are of: a cursor that moves over them leaves them as they are. */
  #drawn: { sums: Sums; rows: string } | undefined;

  /** Draws rows; what else is on the canvas goes. */
  rows({ context, ratio, fills }: Picture, sums: Sums, rows: readonly Row[]): void {
    const { width, height } = context.canvas;
    if (this.#fills !== fills || !this.#tiles) {
      this.#fills = fills;
      this.#tiles = tiles(fills);
      this.#drawn = undefined;
    }
    if (this.#image?.width !== width || this.#image.height !== height) {
      this.#image = new ImageData(width, height);
      this.#drawn = undefined;
    }
    const key = JSON.stringify(rows);
    if (this.#drawn?.sums !== sums || this.#drawn.rows !== key) {
      this.#paint(this.#image, this.#tiles, ratio, sums, rows);
      this.#drawn = { sums, rows: key };
    }
    context.putImageData(this.#image, 0, 0);
  }

  #paint({ data, width, height }: ImageData, tiles: Tiles, ratio: number, sums: Sums, rows: readonly Row[]): void {
    const to = { pixels: new Uint32Array(data.buffer), width };
    to.pixels.fill(0);
    for (const row of rows) {
      const x = Math.round(row.x * ratio);
      const y = Math.round(row.y * ratio);
      const place = {
        x,
        y,
        width: Math.min(width, Math.round((row.x + row.width) * ratio)) - x,
        height: Math.min(height, Math.round((row.y + row.height) * ratio)) - y,
      };
      if (place.width <= 0 || place.height <= 0) continue;
      paintRow(to, place, sums, row.from, (row.bytesPerPixel * row.width) / place.width, tiles);
    }
  }
}

/** The rows of a grid. */
export function rowsOf(grid: Grid, span: Span): Row[] {
  const scale = bytesPerPixel(grid, span);
  return Array.from({ length: grid.rows }, (_, row) => ({
    x: grid.left,
    y: rowTop(row),
    width: grid.width,
    height: BAND,
    from: span.from + row * grid.width * scale,
    bytesPerPixel: scale,
  }));
}

/** What the keyboard and the pointer are on; -1 for nothing. */
export interface Marks {
  cursor: number;
  hover: number;
}

/** Frames that are not narrower than this are marked off; and named from the second on. */
const APART = 6;
const NAMED = 16;
const SPELLED = 72;

/** Draws what is to be seen over the bytes. */
export function drawOver({ context, theme }: Picture, frames: Frames, grid: Grid, span: Span, marks: Marks): void {
  const scale = bytesPerPixel(grid, span);
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.fillStyle = theme.faint;
  context.textAlign = "right";
  for (let row = 0; row < grid.rows; row += 1) {
    const from = span.from + row * grid.width * scale;
    if (from < frames.blobBytes) context.fillText(bytes(from), grid.left - 8, rowTop(row) + BAND / 2);
  }
  const first = frames.at(span.from);
  const last = frames.at(span.to);
  if (first >= 0 && last - first <= pixels(grid) / APART) {
    for (let frame = first; frame <= last; frame += 1) drawFrame({ context, theme }, frames, frame, grid, span);
  }
  if (marks.hover >= 0 && marks.hover !== marks.cursor) outline(context, theme.ink, 1, frames, marks.hover, grid, span);
  if (marks.cursor >= 0) outline(context, theme.accent, 3, frames, marks.cursor, grid, span);
}

function drawFrame({ context, theme }: Pick<Picture, "context" | "theme">, frames: Frames, frame: number, grid: Grid, span: Span): void {
  const start = frames.start(frame);
  const found = pieces(grid, span, start, frames.end(frame));
  const widest = found.reduce((wide, piece) => (piece.width > wide.width ? piece : wide), found[0]!);
  if (!widest || widest.width < 2) return;
  context.fillStyle = theme.ground;
  const edge = found[0]!;
  if (start >= span.from) context.fillRect(edge.x, edge.y, 1, BAND);
  if (widest.width < NAMED) return;
  const { name } = LOOKS[frames.state(frame)]!;
  const said = widest.width >= SPELLED ? name : name.slice(0, 1);
  const middle = widest.x + widest.width / 2;
  const wide = context.measureText(said).width + 6;
  // A plate, because no ink is readable on all the patterns.
  context.fillRect(middle - wide / 2, widest.y + 5, wide, BAND - 10);
  context.fillStyle = theme.ink;
  context.textAlign = "center";
  context.fillText(said, middle, widest.y + BAND / 2);
}

function outline(context: CanvasRenderingContext2D, colour: string, thick: number, frames: Frames, frame: number, grid: Grid, span: Span): void {
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineWidth = thick;
  for (const { x, y, width } of pieces(grid, span, frames.start(frame), frames.end(frame))) {
    if (width >= 3) {
      context.strokeRect(x - thick / 2, y - thick / 2, width + thick, BAND + thick);
      continue;
    }
    // Too narrow for an outline: arrows above and below point at it.
    const middle = x + width / 2;
    context.beginPath();
    for (const [tip, base] of [
      [y, y - 5],
      [y + BAND, y + BAND + 5],
    ] as const) {
      context.moveTo(middle, tip);
      context.lineTo(middle - 2 - thick, base);
      context.lineTo(middle + 2 + thick, base);
      context.closePath();
    }
    context.fill();
    context.fillRect(middle - 0.5, y, 1, BAND);
  }
}
