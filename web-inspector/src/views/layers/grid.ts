// A blob in rows, like lines of text: where which byte is.

import type { Span } from "../../canvas/zoom";

/** Room for the offset of each row's first byte. */
const GUTTER = 76;
/** From row to row, and how much of that the bytes fill. */
export const ROW = 34;
export const BAND = 24;
/** A byte is at most so wide: then a frame's header fills a screen. */
const MOST_PIXELS_PER_BYTE = 8;

/** In CSS pixels. */
export interface Grid {
  rows: number;
  left: number;
  width: number;
}

/** A piece of a row. */
export interface Piece {
  x: number;
  y: number;
  width: number;
}

export function gridOf(width: number, height: number): Grid {
  return { rows: Math.max(1, Math.floor(height / ROW)), left: GUTTER, width: Math.max(1, Math.floor(width - GUTTER)) };
}

/** How many pixels the rows have one behind the other. */
export function pixels(grid: Grid): number {
  return grid.rows * grid.width;
}

/** The least that a picture shows. */
export function least(grid: Grid): number {
  return pixels(grid) / MOST_PIXELS_PER_BYTE;
}

export function bytesPerPixel(grid: Grid, span: Span): number {
  return (span.to - span.from) / pixels(grid);
}

export function rowTop(row: number): number {
  return row * ROW + (ROW - BAND) / 2;
}

/** The byte at a point; a point beside or between the rows belongs to the nearest byte. */
export function offsetAt(grid: Grid, span: Span, x: number, y: number): number {
  const row = Math.min(grid.rows - 1, Math.max(0, Math.floor(y / ROW)));
  const column = Math.min(grid.width - 0.001, Math.max(0, x - grid.left));
  return span.from + (row * grid.width + column) * bytesPerPixel(grid, span);
}

/** The pieces of rows that a stretch of bytes takes. */
export function pieces(grid: Grid, span: Span, start: number, end: number): Piece[] {
  const scale = 1 / bytesPerPixel(grid, span);
  const first = Math.max(0, (start - span.from) * scale);
  const behind = Math.min(pixels(grid), (end - span.from) * scale);
  const found: Piece[] = [];
  if (behind <= first) return found;
  for (let row = Math.floor(first / grid.width); row < grid.rows && row * grid.width < behind; row += 1) {
    const from = Math.max(first, row * grid.width) - row * grid.width;
    const to = Math.min(behind, (row + 1) * grid.width) - row * grid.width;
    found.push({ x: grid.left + from, y: rowTop(row), width: to - from });
  }
  return found;
}
