// How a meaning looks: a colour and a pattern together, so that neither has to be told apart alone.

import type { Token } from "./theme";

/** Patterns, from the least to the most ink. `hatch` rises to the right, `back` falls. */
export const PATTERNS = ["plain", "dots", "hatch", "back", "columns", "rows", "cross"] as const;
export type Pattern = (typeof PATTERNS)[number];

/** A meaning in pictures, legends and bars. */
export interface Look {
  /** What it is called in a legend. */
  name: string;
  token: Token;
  pattern: Pattern;
}

/** The parts that bytes fall into. */
export const PARTS = {
  shared: { name: "Shared", token: "shared", pattern: "plain" },
  unique: { name: "Unique", token: "unique", pattern: "hatch" },
  partly: { name: "Partly shared", token: "partly", pattern: "dots" },
  wasted: { name: "Wasted", token: "wasted", pattern: "cross" },
} as const satisfies Record<string, Look>;

/** What a pull does to the frames of a blob; the keys are `STRIP_STATES`. */
export const FRAMES = {
  fetched: { name: "Fetched", token: "fetched", pattern: "hatch" },
  bridged: { name: "Bridged", token: "bridged", pattern: "dots" },
  reused: { name: "Reused", token: "reused", pattern: "plain" },
  skipped: { name: "Skipped", token: "skipped", pattern: "plain" },
  toc: { name: "TOC", token: "meta", pattern: "columns" },
  "tar-split": { name: "tar-split", token: "meta", pattern: "rows" },
  footer: { name: "Footer", token: "meta", pattern: "back" },
} as const satisfies Record<string, Look>;

/** The side of a pattern's tile in CSS pixels. */
export const TILE = 8;

/** The lines of a pattern in its tile: x and y of both ends. `dots` are dots at the first end. */
export function strokes(pattern: Pattern): readonly (readonly [number, number, number, number])[] {
  // Lines go over the edges, so that tiles join.
  const rising = [
    [-2, 6, 6, -2],
    [-2, 10, 10, -2],
    [2, 10, 10, 2],
  ] as const;
  const falling = [
    [-2, -2, 10, 10],
    [2, -6, 14, 6],
    [-6, 2, 6, 14],
  ] as const;
  switch (pattern) {
    case "plain":
      return [];
    case "dots":
      return [
        [2, 2, 2, 2],
        [6, 6, 6, 6],
      ];
    case "hatch":
      return rising;
    case "back":
      return falling;
    case "columns":
      return [
        [2, -1, 2, 9],
        [6, -1, 6, 9],
      ];
    case "rows":
      return [
        [-1, 2, 9, 2],
        [-1, 6, 9, 6],
      ];
    case "cross":
      return [...rising, ...falling];
  }
}

/** How thick the lines of patterns are, and how wide dots, in CSS pixels. */
export const STROKE = 1.2;
export const DOT = 1.3;
/** How much of the ground shines through a pattern's lines. */
export const STROKE_ALPHA = 0.6;
