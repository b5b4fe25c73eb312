// Writing a picture as SVG. Text from outside is escaped here and nowhere else.

import { DOT, type Look, STROKE, STROKE_ALPHA, strokes, TILE } from "./looks";
import type { Theme } from "./theme";

/** Builds a picture piece by piece. */
export class Svg {
  readonly #parts: string[] = [];
  readonly #patterns = new Map<string, string>();

  constructor(
    readonly width: number,
    readonly height: number,
    readonly theme: Theme,
    /** What the picture shows; for people who cannot see it. */
    readonly title: string,
  ) {}

  /** A rectangle with the look of a meaning, or a colour. `tip` is shown when the pointer rests on it. */
  box(x: number, y: number, w: number, h: number, fill: Look | string, tip?: string, outline?: string): void {
    const said = tip === undefined ? "/>" : `><title>${escape(tip)}</title></rect>`;
    const line = outline === undefined ? "" : ` stroke="${escape(outline)}"`;
    this.#parts.push(
      `<rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" fill="${escape(this.#fill(fill))}"${line}${said}`,
    );
  }

  /** A line of text; `y` is its middle. */
  text(x: number, y: number, words: string, colour: string, size: number, anchor: "start" | "middle" | "end" = "start"): void {
    this.#parts.push(
      `<text x="${n(x)}" y="${n(y)}" font-size="${n(size)}" fill="${escape(colour)}" text-anchor="${anchor}" dominant-baseline="central">${escape(words)}</text>`,
    );
  }

  line(x1: number, y1: number, x2: number, y2: number, colour: string): void {
    this.#parts.push(`<line x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}" stroke="${escape(colour)}"/>`);
  }

  /** The whole file. */
  toString(): string {
    const { width, height } = this;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(width)} ${n(height)}" role="img" font-family="system-ui, sans-serif">`,
      `<title>${escape(this.title)}</title>`,
      `<defs>${[...this.#patterns.values()].join("")}</defs>`,
      `<rect width="100%" height="100%" fill="${escape(this.theme.ground)}"/>`,
      ...this.#parts,
      "</svg>\n",
    ].join("\n");
  }

  #fill(fill: Look | string): string {
    if (typeof fill === "string") return fill;
    const colour = this.theme[fill.token];
    if (fill.pattern === "plain") return colour;
    const id = `${fill.token}-${fill.pattern}`;
    if (!this.#patterns.has(id)) this.#patterns.set(id, pattern(id, fill, colour, this.theme.ground));
    return `url(#${id})`;
  }
}

/** Text and attribute values for SVG. Control characters cannot be in XML at all, escaped or not. */
export function escape(text: string): string {
  return text.replace(/[&<>"'\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, (found) => ESCAPES[found] ?? "\ufffd");
}

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function pattern(id: string, look: Look, colour: string, ground: string): string {
  const lines = strokes(look.pattern).map(([x1, y1, x2, y2]) =>
    look.pattern === "dots"
      ? `<circle cx="${x1}" cy="${y1}" r="${DOT}" fill="${ground}"/>`
      : `<path d="M${x1} ${y1}L${x2} ${y2}" stroke="${ground}" stroke-width="${STROKE}"/>`,
  );
  return `<pattern id="${id}" width="${TILE}" height="${TILE}" patternUnits="userSpaceOnUse"><rect width="${TILE}" height="${TILE}" fill="${colour}"/><g opacity="${STROKE_ALPHA}">${lines.join("")}</g></pattern>`;
}

/** Short enough for a file, exact enough for an eye. */
function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}
