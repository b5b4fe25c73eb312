// A layout as a bitmap: it is drawn once, and copied while a pointer moves over it or a zoom glides.

import type { Fills } from "../../canvas/fills";
import { Fitter } from "../../canvas/text";
import type { Token } from "../../canvas/theme";
import type { Look } from "../../parts/looks";
import { type Colouring, drawing, type Pen } from "./draw";
import type { Layout } from "./layout";
import type { Tree } from "./model";

const FONT = "12px system-ui, sans-serif";
const fitter = new Fitter(FONT);

/** A layout as pixels, which takes more than one frame to draw when there is much of it. */
export class Bitmap {
  readonly canvas = document.createElement("canvas");
  #steps: Iterator<undefined, void> | undefined;

  constructor(
    readonly layout: Layout,
    tree: Tree,
    fills: Fills,
    colouring: Colouring,
    matches: Iterable<number>,
  ) {
    const { canvas } = this;
    canvas.width = Math.max(1, Math.round(layout.width * fills.ratio));
    canvas.height = Math.max(1, Math.round(layout.height * fills.ratio));
    const context = canvas.getContext("2d");
    if (!context) return;
    context.scale(canvas.width / layout.width, canvas.height / layout.height);
    this.#steps = drawing(new CanvasPen(context, fills), layout, tree, colouring, matches);
  }

  /** Draws on, and stops in time. Says whether all is drawn. */
  draw(milliseconds: number): boolean {
    const start = performance.now();
    while (this.#steps) {
      if (this.#steps.next().done === true) this.#steps = undefined;
      else if (performance.now() - start >= milliseconds) return false;
    }
    return true;
  }
}

/** Draws on a canvas. */
export class CanvasPen implements Pen {
  constructor(
    readonly context: CanvasRenderingContext2D,
    readonly fills: Fills,
  ) {
    context.font = FONT;
    context.textBaseline = "middle";
  }

  fill(look: Look, x: number, y: number, w: number, h: number): void {
    this.context.fillStyle = this.fills.style(look);
    this.context.fillRect(x, y, w, h);
  }

  plain(token: Token, x: number, y: number, w: number, h: number): void {
    this.context.fillStyle = this.fills.theme[token];
    this.context.fillRect(x, y, w, h);
  }

  outline(token: Token, thick: number, x: number, y: number, w: number, h: number): void {
    const { context } = this;
    context.strokeStyle = this.fills.theme[token];
    context.lineWidth = thick;
    context.strokeRect(x + thick / 2, y + thick / 2, Math.max(0.5, w - thick), Math.max(0.5, h - thick));
  }

  label(text: string, more: string, plate: boolean, x: number, y: number, w: number, h: number): void {
    const { context, fills } = this;
    const room = w - 10;
    const both = `${text}  ${more}`;
    const fit = fitter.width(context, both) <= room ? both : fitter.fit(context, text, room);
    if (fit === "") return;
    const middle = y + h / 2;
    if (plate) {
      // Letters on a pattern cannot be read.
      context.globalAlpha = 0.88;
      context.fillStyle = fills.theme.raised;
      context.fillRect(x + 2, middle - 8, fitter.width(context, fit) + 6, 16);
      context.globalAlpha = 1;
    }
    context.fillStyle = fills.theme.ink;
    context.fillText(fit, x + 5, middle);
  }
}
