// What keys do on the picture of a blob.

import type { Span } from "../../canvas/zoom";
import type { Frames } from "./frames";
import { bytesPerPixel, type Grid } from "./grid";

export type Move =
  | { to: "frame"; frame: number }
  | { to: "fetched"; step: 1 | -1 }
  | { to: "pan"; bytes: number }
  | { to: "zoom"; factor: number }
  | { to: "whole" }
  | { to: "file" };

/** Where a key leads from `frame`, -1 for none; undefined for keys that mean nothing here. */
export function moveOf(event: KeyboardEvent, frames: Frames, frame: number, grid: Grid, span: Span): Move | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const row = grid.width * bytesPerPixel(grid, span);
  if (event.shiftKey && event.key.startsWith("Arrow")) return pan(event.key, row);
  const to = (wanted: number): Move => ({ to: "frame", frame: Math.min(frames.count - 1, Math.max(0, wanted)) });
  const from = Math.max(0, frame);
  switch (event.key) {
    case "ArrowRight":
      return to(frame + 1);
    case "ArrowLeft":
      return to(from - 1);
    case "ArrowDown":
      return to(other(frames, from, frames.at(frames.start(from) + row), 1));
    case "ArrowUp":
      return to(other(frames, from, frames.at(Math.max(0, frames.start(from) - row)), -1));
    case "Home":
      return to(0);
    case "End":
      return to(frames.count - 1);
    case "n":
      return { to: "fetched", step: 1 };
    case "p":
      return { to: "fetched", step: -1 };
    case "+":
    case "=":
      return { to: "zoom", factor: 0.5 };
    case "-":
      return { to: "zoom", factor: 2 };
    case "0":
      return { to: "whole" };
    case "Enter":
      return { to: "file" };
    default:
      return undefined;
  }
}

function pan(key: string, row: number): Move | undefined {
  const bytes = { ArrowRight: row / 4, ArrowLeft: -row / 4, ArrowDown: row, ArrowUp: -row }[key];
  return bytes === undefined ? undefined : { to: "pan", bytes };
}

/** A row further, but at least a frame: a frame may be longer than a row. */
function other(frames: Frames, from: number, there: number, step: 1 | -1): number {
  return there === from ? Math.min(frames.count - 1, from + step) : there;
}
