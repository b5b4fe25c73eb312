// Patterns as canvases and picture files draw them.

import { DOT, type Look, STROKE, STROKE_ALPHA, strokes, TILE } from "./looks";
import type { Theme } from "./theme";

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

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
      made = look.pattern === "plain" ? this.theme[look.token] : this.#tile(look);
      this.#made.set(key, made);
    }
    return made;
  }

  // Colour and lines are one tile: a rectangle is filled once, which is what takes the time.
  #tile(look: Look): CanvasPattern | string {
    const side = Math.max(1, Math.round(TILE * this.ratio));
    const tile = document.createElement("canvas");
    tile.width = side;
    tile.height = side;
    const context = tile.getContext("2d");
    if (!context) return this.theme[look.token];
    const scale = side / TILE;
    context.scale(scale, scale);
    context.fillStyle = this.theme[look.token];
    context.fillRect(0, 0, TILE, TILE);
    context.globalAlpha = STROKE_ALPHA;
    context.strokeStyle = this.theme.ground;
    context.fillStyle = this.theme.ground;
    context.lineWidth = STROKE;
    context.beginPath();
    for (const [x1, y1, x2, y2] of strokes(look.pattern)) {
      if (look.pattern === "dots") {
        context.moveTo(x1 + DOT, y1);
        context.arc(x1, y1, DOT, 0, 2 * Math.PI);
      } else {
        context.moveTo(x1, y1);
        context.lineTo(x2, y2);
      }
    }
    if (look.pattern === "dots") context.fill();
    else context.stroke();
    const pattern = context.createPattern(tile, "repeat");
    if (!pattern) return this.theme[look.token];
    // A tile is made of the canvas's pixels, and rectangles are in CSS pixels.
    pattern.setTransform(new DOMMatrix().scale(1 / scale));
    return pattern;
  }
}

/** Fills a rectangle. */
export function fillBox(context: Context, fills: Fills, look: Look, x: number, y: number, w: number, h: number): void {
  context.fillStyle = fills.style(look);
  context.fillRect(x, y, w, h);
}
