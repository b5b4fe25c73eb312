// Colours with their patterns, as canvases draw them.

import type { Look } from "../parts/looks";
import type { Theme } from "./theme";
import { DOT, MARK, TILES } from "./tiles";

/** Fill styles for one theme and one density of pixels. */
export class Fills {
  readonly #made = new Map<string, CanvasPattern | string>();

  constructor(
    readonly theme: Theme,
    readonly ratio: number,
  ) {}

  /** What to set as `fillStyle`. */
  style(look: Look): CanvasPattern | string {
    const key = `${look.token} ${look.pattern}`;
    let made = this.#made.get(key);
    if (made === undefined) {
      made = this.#make(look);
      this.#made.set(key, made);
    }
    return made;
  }

  // Colour and lines are one tile: a rectangle is filled once, which is what takes the time.
  #make(look: Look): CanvasPattern | string {
    const colour = this.theme[look.token];
    if (look.pattern === "solid") return colour;
    const tile = TILES[look.pattern];
    const canvas = document.createElement("canvas");
    const side = Math.max(1, Math.round(tile.side * this.ratio));
    canvas.width = side;
    canvas.height = side;
    const context = canvas.getContext("2d");
    if (!context) return colour;
    const scale = side / tile.side;
    context.scale(scale, scale);
    context.fillStyle = colour;
    context.fillRect(0, 0, tile.side, tile.side);
    context.globalAlpha = MARK;
    context.strokeStyle = this.theme.ink;
    context.fillStyle = this.theme.ink;
    context.beginPath();
    for (const [x1, y1, x2, y2] of tile.lines) {
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
    }
    context.stroke();
    context.beginPath();
    for (const [x, y] of tile.dots) {
      context.moveTo(x + DOT, y);
      context.arc(x, y, DOT, 0, 2 * Math.PI);
    }
    context.fill();
    const pattern = context.createPattern(canvas, "repeat");
    // A tile is made of the canvas's pixels, and rectangles are in CSS pixels.
    pattern?.setTransform(new DOMMatrix().scale(1 / scale));
    return pattern ?? colour;
  }
}
