// What each meaning looks like: a colour, a pattern, a letter. A colour never stands alone.

import { theme } from "../canvas/theme";

/** Names of colour tokens in `src/style.css`, without the dashes. */
export type Token =
  | "shared" | "unique" | "partly" | "wasted"
  | "fetched" | "bridged" | "reused" | "skipped"
  | "meta" | "accent" | "alarm" | "ink" | "faint" | "line" | "ground" | "raised";
export type Pattern = "solid" | "rising" | "falling" | "dots" | "cross" | "level" | "upright";

export interface Look {
  name: string;
  token: Token;
  pattern: Pattern;
  letter: string;
}

/** What other images have of a file. */
export const STATES = {
  shared: { name: "Shared", token: "shared", pattern: "solid", letter: "S" },
  partly: { name: "Partly shared", token: "partly", pattern: "dots", letter: "P" },
  unique: { name: "Unique", token: "unique", pattern: "rising", letter: "U" },
  wasted: { name: "Wasted", token: "wasted", pattern: "cross", letter: "W" },
} as const satisfies Record<string, Look>;

/** What a diff says of a path; letters as `shingle diff` prints them. */
export const CHANGE_LOOKS = {
  added: { name: "Added", token: "unique", pattern: "rising", letter: "A" },
  removed: { name: "Removed", token: "wasted", pattern: "cross", letter: "D" },
  content: { name: "Other content", token: "partly", pattern: "dots", letter: "M" },
  metadata: { name: "Other properties only", token: "meta", pattern: "level", letter: "P" },
  renamed: { name: "Renamed", token: "shared", pattern: "solid", letter: "R" },
} as const satisfies Record<string, Look>;

/** The colour that a token is right now, as files need it: `rgb(…)`. */
export function colour(token: Token): string {
  return theme()[token];
}
