// What each meaning looks like: a colour, a pattern, a letter. A colour never stands alone.

import { type Token, theme } from "../canvas/theme";

export type { Token };

export type Pattern = "solid" | "rising" | "falling" | "dots" | "cross" | "level" | "upright";

/** A meaning in pictures, legends and bars. */
export interface Look {
  /** What it is called in a legend. */
  name: string;
  token: Token;
  pattern: Pattern;
}

/** What other images have of a file. */
export const STATES = {
  shared: { name: "Shared", token: "shared", pattern: "solid" },
  partly: { name: "Partly shared", token: "partly", pattern: "dots" },
  unique: { name: "Unique", token: "unique", pattern: "rising" },
  wasted: { name: "Wasted", token: "wasted", pattern: "cross" },
} as const satisfies Record<string, Look>;

interface Lettered extends Look {
  letter: string;
}

/** What a diff says of a path; letters as `shingle diff` prints them. */
export const CHANGE_LOOKS = {
  added: { name: "Added", token: "unique", pattern: "rising", letter: "A" },
  removed: { name: "Removed", token: "wasted", pattern: "cross", letter: "D" },
  content: { name: "Other content", token: "partly", pattern: "dots", letter: "M" },
  metadata: { name: "Other properties only", token: "meta", pattern: "level", letter: "P" },
  renamed: { name: "Renamed", token: "shared", pattern: "solid", letter: "R" },
} as const satisfies Record<string, Lettered>;

/** The colour that a token is right now, as files need it: `rgb(…)`. */
export function colour(token: Token): string {
  return theme()[token];
}
