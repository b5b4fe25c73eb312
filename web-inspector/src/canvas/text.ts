// Text that has to fit.

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** How many widths are remembered, and of how long texts: what is remembered must not grow with what strangers write. */
const REMEMBERED = 20_000;
const LONGEST = 64;
const ELLIPSIS = "…";

/** Cuts text to a width, and remembers what it measured. One for each canvas and font. */
export class Fitter {
  readonly #widths = new Map<string, number>();

  /** `font` as the canvas takes it. */
  constructor(readonly font: string) {}

  /** How wide the text is in CSS pixels. */
  width(context: Context, text: string): number {
    let width = this.#widths.get(text);
    if (width === undefined) {
      if (context.font !== this.font) context.font = this.font;
      width = context.measureText(text).width;
      if (text.length > LONGEST) return width;
      if (this.#widths.size >= REMEMBERED) this.#widths.clear();
      this.#widths.set(text, width);
    }
    return width;
  }

  /** The text, or as much of it as fits with an ellipsis; empty if not one character does. */
  fit(context: Context, text: string, room: number): string {
    if (this.width(context, text) <= room) return text;
    return shortened(text, (tried) => this.width(context, tried) <= room);
  }
}

/** The longest beginning of a text that fits with an ellipsis behind it; empty if none does. */
export function shortened(text: string, fits: (tried: string) => boolean): string {
  // By code points: half a character must not be left over.
  const characters = Array.from(text.length > 512 ? text.slice(0, 512) : text);
  let fit = 0;
  let over = characters.length;
  while (over - fit > 1) {
    const middle = (fit + over) >> 1;
    if (fits(characters.slice(0, middle).join("") + ELLIPSIS)) fit = middle;
    else over = middle;
  }
  return fit === 0 ? "" : characters.slice(0, fit).join("") + ELLIPSIS;
}
