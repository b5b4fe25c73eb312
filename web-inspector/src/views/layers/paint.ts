// Draws stretches of a blob into pixels: each column of pixels shows the states of its bytes in proportion, stacked. What
// it costs depends on the pixels, not on the frames.

import { STATES, type Sums } from "./frames";

/** How each state looks: a square of `side` x `side` pixels that is repeated. */
export interface Tiles {
  side: number;
  pixels: readonly Uint32Array[];
}

/** Pixels to draw to. */
export interface Surface {
  pixels: Uint32Array;
  width: number;
}

/** Where a stretch goes: its left upper corner and its size, in pixels. */
export interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}

const before = new Float64Array(STATES);
const behind = new Float64Array(STATES);
const heights = new Int32Array(STATES);

/** Draws the bytes from `from` on, so many per pixel, into one row; columns behind the blob's end are left as they are. */
export function paintRow(to: Surface, place: Place, sums: Sums, from: number, bytesPerPixel: number, tiles: Tiles): void {
  const end = sums.blobBytes;
  const { side } = tiles;
  sums.upTo(Math.max(0, from), before);
  for (let column = 0; column < place.width; column += 1) {
    const start = from + column * bytesPerPixel;
    if (start >= end) return;
    sums.upTo(Math.min(end, start + bytesPerPixel), behind);
    split(place.height);
    before.set(behind);
    let bottom = place.y + place.height;
    const x = place.x + column;
    for (let state = 0; state < STATES; state += 1) {
      const height = heights[state]!;
      if (height === 0) continue;
      const tile = tiles.pixels[state]!;
      let at = (bottom - height) * to.width + x;
      let of = ((bottom - height) % side) * side + (x % side);
      for (let left = height; left > 0; left -= 1) {
        to.pixels[at] = tile[of]!;
        at += to.width;
        of += side;
        if (of >= tile.length) of -= tile.length;
      }
      bottom -= height;
    }
  }
}

/** A rectangle of one state. */
export interface Block {
  x: number;
  y: number;
  width: number;
  height: number;
  state: number;
}

/** The same as rectangles, for files: neighbouring columns of a single state are one. */
export function blocks(place: Place, sums: Sums, from: number, bytesPerPixel: number): Block[] {
  const end = sums.blobBytes;
  const found: Block[] = [];
  sums.upTo(Math.max(0, from), before);
  for (let column = 0; column < place.width; column += 1) {
    const start = from + column * bytesPerPixel;
    if (start >= end) break;
    sums.upTo(Math.min(end, start + bytesPerPixel), behind);
    split(place.height);
    before.set(behind);
    let bottom = place.y + place.height;
    const x = place.x + column;
    const last = found.at(-1);
    for (let state = 0; state < STATES; state += 1) {
      const height = heights[state]!;
      bottom -= height;
      if (height === place.height && last?.state === state && last.height === height && last.x + last.width === x) last.width += 1;
      else if (height > 0) found.push({ x, y: bottom, width: 1, height, state });
    }
  }
  return found;
}

/** Shares out a column's height: in proportion, but whatever is there gets a pixel. */
function split(height: number): void {
  let total = 0;
  for (let state = 0; state < STATES; state += 1) total += behind[state]! - before[state]!;
  let given = 0;
  let most = 0;
  for (let state = 0; state < STATES; state += 1) {
    const share = behind[state]! - before[state]!;
    heights[state] = share > 0 && total > 0 ? Math.max(1, Math.round((height * share) / total)) : 0;
    given += heights[state]!;
    if (heights[state]! > heights[most]!) most = state;
  }
  // Rounding, and the pixels that small shares were given, are the largest one's.
  if (given > 0) heights[most] = Math.max(0, heights[most]! + height - given);
}
