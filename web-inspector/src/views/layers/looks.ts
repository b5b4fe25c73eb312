// How the states of frames look here.

import type { Fills } from "../../canvas/fills";
import type { Look } from "../../parts/looks";
import { STRIP_STATES } from "../../protocol";
import type { Tiles } from "./paint";

/** What a pull does to frames. Seven states, seven patterns: none is told by its colour alone. What nothing needs is the
 quietest, so what is reused has lines, and the footer, which is tiny, gets those that are left. */
const FRAMES: Record<(typeof STRIP_STATES)[number], Look> = {
  fetched: { name: "Fetched", token: "fetched", pattern: "rising" },
  bridged: { name: "Bridged", token: "bridged", pattern: "dots" },
  reused: { name: "Reused", token: "reused", pattern: "falling" },
  skipped: { name: "Skipped", token: "skipped", pattern: "solid" },
  toc: { name: "TOC", token: "meta", pattern: "upright" },
  "tar-split": { name: "tar-split", token: "meta", pattern: "level" },
  footer: { name: "Footer", token: "meta", pattern: "cross" },
};

/** By the number of the state. */
export const LOOKS: readonly Look[] = STRIP_STATES.map((state) => FRAMES[state]);

/** What it means that a frame is in a state, for the legend. */
export const MEANINGS: readonly string[] = [
  "new, so it is asked for",
  "in a gap so short that fetching it costs less than another request",
  "the machine has this content already",
  "nothing needs it: headers, padding, gaps",
  "the table of contents",
  "what the tar is rebuilt with",
  "where the TOC lies",
];

/** In CSS pixels: what tiles of 5, 6 and 8 fill without a seam. */
const SIDE = 120;

/** Draws each look once, for drawing by pixels. */
export function tiles(fills: Fills): Tiles {
  const side = Math.max(1, Math.round(SIDE * fills.ratio));
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = side;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const pixels = LOOKS.map((look) => {
    if (!context) return new Uint32Array(side * side);
    context.setTransform(fills.ratio, 0, 0, fills.ratio, 0, 0);
    context.fillStyle = fills.style(look);
    context.fillRect(0, 0, SIDE + 1, SIDE + 1);
    return new Uint32Array(context.getImageData(0, 0, side, side).data.buffer);
  });
  return { side, pixels };
}
