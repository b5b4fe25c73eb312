// What the picture keeps between frames: layouts and bitmaps that were made, and the zoom that is under way.

import { Fills } from "../../canvas/fills";
import type { Frame } from "../../canvas/surface";
import type { Theme } from "../../canvas/theme";
import { still } from "../../canvas/zoom";
import { frame, HEAD } from "./frame";
import { type Box, GLIDE_MS, glide, type Moment } from "./glide";
import { icicle } from "./icicle";
import type { Layout } from "./layout";
import { matchBoxes, type Wanted } from "./matches";
import type { Tree } from "./model";
import { Bitmap, CanvasPen } from "./paint";
import { treemap } from "./treemap";

/** So many pictures are kept, so that going back to one is quick. */
const KEPT = 4;
/** So long a frame may draw at what is not ready yet. */
const SLICE_MS = 6;

export class Scene {
  /** What is on the screen. */
  bitmap: Bitmap | undefined;
  #layouts: { key: string; tree: Tree; layout: Layout }[] = [];
  #bitmaps: { key: readonly unknown[]; bitmap: Bitmap }[] = [];
  #glide: { from: Bitmap; moment(share: number): Moment; start: number } | undefined;
  #shown: Wanted | undefined;

  /** The rectangles of what is wanted. */
  layout({ tree, root, picture }: Wanted, width: number, height: number): Layout {
    const key = `${root} ${picture} ${width} ${height}`;
    const made = this.#layouts.find((kept) => kept.key === key && kept.tree === tree);
    if (made) return made.layout;
    const layout = (picture === "icicle" ? icicle : treemap)(tree, root, width, height);
    this.#layouts = [{ key, tree, layout }, ...this.#layouts].slice(0, 2 * KEPT);
    return layout;
  }

  /** Draws all but what follows the pointer. Says whether it has to go on: much is drawn over several frames, so that none
   takes long, and a zoom glides. */
  draw(on: Frame, wanted: Wanted): boolean {
    const { context, width, height, time } = on;
    const bitmap = this.#bitmap(on, wanted);
    const ready = bitmap.draw(SLICE_MS);
    const before = this.#shown;
    if (!ready && this.bitmap && before?.tree === wanted.tree && before.picture === wanted.picture) {
      // What is on the screen stays for these few frames.
      context.drawImage(this.bitmap.canvas, 0, 0, width, height);
      return true;
    }
    if (this.bitmap && before?.tree === wanted.tree && before.picture === wanted.picture && before.root !== wanted.root) {
      const moment = still() ? undefined : glide(wanted.tree, this.bitmap.layout, bitmap.layout);
      this.#glide = moment && { from: this.bitmap, moment, start: time };
    }
    this.#shown = wanted;
    this.bitmap = bitmap;
    const share = this.#glide ? (time - this.#glide.start) / GLIDE_MS : 1;
    if (!this.#glide || share >= 1) {
      this.#glide = undefined;
      context.drawImage(bitmap.canvas, 0, 0, width, height);
      return !ready;
    }
    const moment = this.#glide.moment(Math.max(0, share));
    copy(context, this.#glide.from, moment.old, width, height);
    context.globalAlpha = moment.shown;
    copy(context, bitmap, moment.new, width, height);
    context.globalAlpha = 1;
    return true;
  }

  /** What is on the screen as a picture of its own, with a title and a legend, and without what follows the pointer. */
  picture(colours: Theme, title: string): HTMLCanvasElement | undefined {
    const { bitmap } = this;
    const tree = this.#shown?.tree;
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d");
    if (!bitmap || !tree || !context) return undefined;
    const ratio = bitmap.canvas.width / bitmap.layout.width;
    const pen = new CanvasPen(context, new Fills(colours, ratio));
    // Once for the height: a new height empties a canvas.
    canvas.height = Math.ceil(ratio * frame(pen, bitmap.layout, tree, title));
    canvas.width = bitmap.canvas.width;
    context.fillStyle = colours.ground;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap.canvas, 0, Math.round(HEAD * ratio));
    context.scale(ratio, ratio);
    frame(new CanvasPen(context, pen.fills), bitmap.layout, tree, title);
    return canvas;
  }

  #bitmap({ fills, width, height }: Frame, wanted: Wanted): Bitmap {
    const layout = this.layout(wanted, width, height);
    const key = [layout, fills, wanted.colouring, wanted.matches];
    const made = this.#bitmaps.find((kept) => kept.key.every((part, at) => part === key[at]));
    if (made) return made.bitmap;
    const bitmap = new Bitmap(layout, wanted.tree, fills, wanted.colouring, matchBoxes(layout, wanted));
    this.#bitmaps = [{ key, bitmap }, ...this.#bitmaps].slice(0, KEPT);
    return bitmap;
  }
}

/** Copies as much of a bitmap as is seen when all of it goes to `to`: that may be far larger than the screen. */
function copy(context: CanvasRenderingContext2D, { canvas }: Bitmap, to: Box, width: number, height: number): void {
  const [left, top] = [Math.max(0, to.x), Math.max(0, to.y)];
  const [right, bottom] = [Math.min(width, to.x + to.w), Math.min(height, to.y + to.h)];
  if (!(right > left) || !(bottom > top)) return;
  const [sx, sy] = [canvas.width / to.w, canvas.height / to.h];
  const [w, h] = [right - left, bottom - top];
  context.drawImage(canvas, (left - to.x) * sx, (top - to.y) * sy, w * sx, h * sy, left, top, w, h);
}
