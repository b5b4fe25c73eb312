// What the picture keeps between frames: layouts and bitmaps that were made, and the zoom that is under way.

import type { Frame } from "../../canvas/surface";
import { still } from "../../canvas/zoom";
import { type Box, GLIDE_MS, glide, type Moment } from "./glide";
import { icicle } from "./icicle";
import type { Layout } from "./layout";
import { matchBoxes, type Wanted } from "./matches";
import type { Tree } from "./model";
import { type Bitmap, paint } from "./paint";
import { treemap } from "./treemap";

/** So many pictures are kept, so that going back to one is quick. */
const KEPT = 4;

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

  /** Draws all but what follows the pointer. Says whether a zoom is under way. */
  draw(frame: Frame, wanted: Wanted): boolean {
    const { context, width, height, time } = frame;
    const bitmap = this.#bitmap(frame, wanted);
    const before = this.#shown;
    if (before && this.bitmap && before.tree === wanted.tree && before.picture === wanted.picture && before.root !== wanted.root) {
      const moment = still() ? undefined : glide(wanted.tree, this.bitmap.layout, bitmap.layout);
      this.#glide = moment && { from: this.bitmap, moment, start: time };
    }
    this.#shown = wanted;
    this.bitmap = bitmap;
    const share = this.#glide ? (time - this.#glide.start) / GLIDE_MS : 1;
    if (!this.#glide || share >= 1) {
      this.#glide = undefined;
      context.drawImage(bitmap.canvas, 0, 0, width, height);
      return false;
    }
    const moment = this.#glide.moment(Math.max(0, share));
    copy(context, this.#glide.from, moment.old, width, height);
    context.globalAlpha = moment.shown;
    copy(context, bitmap, moment.new, width, height);
    context.globalAlpha = 1;
    return true;
  }

  /** What is on the screen as a picture of its own, without what follows the pointer. */
  picture(ground: string): HTMLCanvasElement | undefined {
    if (!this.bitmap) return undefined;
    const { canvas } = this.bitmap;
    const copied = document.createElement("canvas");
    copied.width = canvas.width;
    copied.height = canvas.height;
    const context = copied.getContext("2d");
    if (!context) return undefined;
    context.fillStyle = ground;
    context.fillRect(0, 0, copied.width, copied.height);
    context.drawImage(canvas, 0, 0);
    return copied;
  }

  #bitmap(frame: Frame, wanted: Wanted): Bitmap {
    const { fills, width, height } = frame;
    const layout = this.layout(wanted, width, height);
    const key = [layout, fills, wanted.colouring, wanted.matches];
    const made = this.#bitmaps.find((kept) => kept.key.every((part, at) => part === key[at]));
    if (made) return made.bitmap;
    const bitmap = paint(layout, wanted.tree, fills, wanted.colouring, matchBoxes(layout, wanted));
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
