// The picture as an SVG file. No DOM: the theme is given.

import { shortened } from "../../canvas/text";
import type { Theme, Token } from "../../canvas/theme";
import type { Look } from "../../parts/looks";
import { el, escape, picture } from "../../export/svg";
import { draw, type Pen } from "./draw";
import { frame, HEAD } from "./frame";
import type { Layout } from "./layout";
import { matchBoxes, type Wanted } from "./matches";

/** A layout as a file, with its title and what colours and patterns mean. */
export function svg(layout: Layout, wanted: Wanted, theme: Theme, title: string): string {
  const pen = new SvgPen(theme);
  draw(pen, layout, wanted.tree, wanted.colouring, matchBoxes(layout, wanted));
  const body = el("g", { transform: `translate(0 ${HEAD})` }, ...pen.done());
  const around = new SvgPen(theme);
  const high = frame(around, layout, wanted.tree, title);
  return picture(layout.width, high, title, body, ...around.done());
}

class SvgPen implements Pen {
  readonly #parts: string[] = [];
  #about = "";
  #group: string[] = [];

  constructor(readonly theme: Theme) {}

  about(text: string): void {
    this.#flush();
    this.#about = text;
  }

  fill(look: Look, x: number, y: number, w: number, h: number): void {
    const at = { x, y, width: w, height: h };
    this.#group.push(el("rect", { ...at, fill: this.theme[look.token] }));
    if (look.pattern !== "solid") this.#group.push(el("rect", { ...at, fill: `url(#${look.pattern})` }));
  }

  plain(token: Token, x: number, y: number, w: number, h: number): void {
    this.#group.push(el("rect", { x, y, width: w, height: h, fill: this.theme[token] }));
  }

  outline(token: Token, thick: number, x: number, y: number, w: number, h: number): void {
    const at = { x: x + thick / 2, y: y + thick / 2, width: Math.max(0.5, w - thick), height: Math.max(0.5, h - thick) };
    this.#group.push(el("rect", { ...at, fill: "none", stroke: this.theme[token], "stroke-width": thick }));
  }

  label(text: string, more: string, plate: boolean, x: number, y: number, w: number, h: number): void {
    const fits = (tried: string) => width(tried) <= w - 10;
    const both = `${text}  ${more}`;
    const fit = fits(both) ? both : fits(text) ? text : shortened(text, fits);
    if (fit === "") return;
    const middle = y + h / 2;
    if (plate) {
      const behind = { x: x + 2, y: middle - 8, width: Math.min(w - 4, width(fit) + 6), height: 16 };
      this.#group.push(el("rect", { ...behind, fill: this.theme.raised, "fill-opacity": 0.88 }));
    }
    this.#group.push(el("text", { x: x + 5, y: middle + 4, "font-size": 12, fill: this.theme.ink }, escape(fit)));
  }

  done(): string[] {
    this.#flush();
    return this.#parts;
  }

  #flush(): void {
    if (this.#group.length === 0) return;
    const title = this.#about === "" ? [] : [el("title", {}, escape(this.#about))];
    this.#parts.push(el("g", {}, ...title, ...this.#group));
    this.#group = [];
    this.#about = "";
  }
}

/** About as wide as letters of 12 pixels are; who opens the file may have another font. */
function width(text: string): number {
  let wide = 0;
  for (const character of text) wide += (character.codePointAt(0) ?? 0) < 0x1100 ? 6.8 : 12.5;
  return wide;
}
