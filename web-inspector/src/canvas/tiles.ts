// How the patterns of `parts/looks.ts` are drawn in pictures: the same as in bars, see `parts/bar.css`.

import type { Pattern } from "../parts/looks";

/** The tile that a pattern repeats. */
export interface Tile {
  /** Its side in CSS pixels. */
  side: number;
  /** Lines: x and y of both ends. They go over the edges, so that tiles join. */
  lines: readonly (readonly [number, number, number, number])[];
  /** Dots: their middles. */
  dots: readonly (readonly [number, number])[];
}

const RISING = [
  [-1, 1, 1, -1],
  [-1, 7, 7, -1],
  [5, 7, 7, 5],
] as const;
const FALLING = [
  [-1, 5, 1, 7],
  [-1, -1, 7, 7],
  [5, -1, 7, 1],
] as const;

export const TILES: Readonly<Record<Exclude<Pattern, "solid">, Tile>> = {
  rising: { side: 6, lines: RISING, dots: [] },
  falling: { side: 6, lines: FALLING, dots: [] },
  level: { side: 5, lines: [[-1, 2.5, 6, 2.5]], dots: [] },
  upright: { side: 5, lines: [[2.5, -1, 2.5, 6]], dots: [] },
  dots: { side: 5, lines: [], dots: [[2.5, 2.5]] },
  cross: {
    side: 8,
    lines: [
      [-1, -1, 9, 9],
      [9, -1, -1, 9],
      [-1, 7, 1, 9],
      [7, -1, 9, 1],
      [-1, 1, 1, -1],
      [7, 9, 9, 7],
    ],
    dots: [],
  },
};

/** How wide dots are from the middle, in CSS pixels; lines are 1 wide. */
export const DOT = 1;
/** How strong the ink of a pattern is. */
export const MARK = 0.55;
