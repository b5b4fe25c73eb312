// The link in words.

import { seconds } from "../../format";
import type { Link } from "../../protocol";

/** `a round trip of 20 ms, 10 MB/s and link mode auto`. */
export function linkWords({ roundTripMs, bytesPerSecond, linkMode }: Link): string {
  return `a round trip of ${plain(roundTripMs)} ms, ${plain(bytesPerSecond / 1e6)} MB/s and link mode ${linkMode}`;
}

/** `28 ms`, `1.2 s`. */
export function time(value: number): string {
  return value < 1 ? `${Math.round(1000 * value)} ms` : seconds(value);
}

/** A number without more digits than it has. */
export function plain(value: number): string {
  return String(Math.round(value * 100) / 100);
}
