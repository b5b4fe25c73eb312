// The link in words.

import type { Link } from "../../protocol";

/** `20 ms, 10 MB/s, link mode auto`. */
export function linkWords({ roundTripMs, bytesPerSecond, linkMode }: Link): string {
  return `a round trip of ${plain(roundTripMs)} ms, ${plain(bytesPerSecond / 1e6)} MB/s and link mode ${linkMode}`;
}

/** A number without more digits than it has. */
export function plain(value: number): string {
  return String(Math.round(value * 100) / 100);
}
