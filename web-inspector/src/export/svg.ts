// Pictures as text. Colours are written out, so that a file looks as the page did.

import { colour, type Pattern, type Token } from "../parts/looks";

type Attributes = Record<string, string | number>;

/** An element; its content is markup that these functions made. */
export function el(name: string, attributes: Attributes, ...content: string[]): string {
  const text = (value: number | string) => escape(typeof value === "number" ? short(value) : value);
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${text(value)}"`);
  return content.length === 0 ? `<${name}${written.join("")}/>` : `<${name}${written.join("")}>${content.join("")}</${name}>`;
}

/** Text from anywhere. */
export function label(x: number, y: number, text: string, attributes: Attributes = {}): string {
  return el("text", { x, y, fill: colour("ink"), ...attributes }, escape(text));
}

/** What a picture is, at its top. */
export function heading(text: string): string {
  return label(10, 22, text, { "font-size": 15, "font-weight": 600 });
}

/** What colours and patterns mean, in a row. */
export function legend(x: number, y: number, looks: Iterable<Omit<BarPart, "value">>): string[] {
  const drawn: string[] = [];
  let at = x;
  for (const { name, token, pattern } of looks) {
    drawn.push(block(at, y, 14, 14, token, pattern), label(at + 20, y + 12, name));
    at += 44 + 7 * name.length;
  }
  return drawn;
}

/** A rectangle in a meaning's colour and pattern. */
export function block(
  x: number,
  y: number,
  width: number,
  height: number,
  token: Token,
  pattern: Pattern = "solid",
  title = "",
): string {
  const at = { x, y, width, height };
  const about = title ? [el("title", {}, escape(title))] : [];
  const fill = el("rect", { ...at, fill: colour(token) }, ...about);
  return pattern === "solid" ? fill : fill + el("rect", { ...at, fill: `url(#${pattern})`, "pointer-events": "none" });
}

/** A whole file. */
export function picture(width: number, height: number, title: string, ...content: string[]): string {
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height,
    viewBox: `0 0 ${short(width)} ${short(height)}`,
    "font-family": "system-ui, sans-serif",
    "font-size": 12,
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${el(
    "svg",
    attributes,
    el("title", {}, escape(title)),
    el("defs", {}, ...patterns()),
    el("rect", { width, height, fill: colour("ground") }),
    ...content,
  )}\n`;
}

interface BarPart {
  name: string;
  value: number;
  token: Token;
  pattern?: Pattern;
}

interface BarRow {
  name: string;
  parts: BarPart[];
  /** Said to the right of the bar. */
  said: string;
}

/** Bars one below the other, all to one scale, with a legend. */
export function barsPicture(title: string, rows: BarRow[], format: (value: number) => string): string {
  const [left, right, wide, line] = [220, 190, 560, 26];
  const most = Math.max(1, ...rows.map((row) => row.parts.reduce((sum, part) => sum + part.value, 0)));
  const drawn: string[] = [heading(title)];
  let y = 40;
  for (const row of rows) {
    drawn.push(label(left - 8, y + 14, cut(row.name, 32), { "text-anchor": "end" }));
    let x = left;
    for (const part of row.parts) {
      const width = (wide * part.value) / most;
      const about = `${row.name}: ${part.name} ${format(part.value)}`;
      if (width > 0) drawn.push(block(x, y, width, 18, part.token, part.pattern, about));
      x += width;
    }
    drawn.push(label(x + 8, y + 14, row.said));
    y += line;
  }
  drawn.push(...legend(left, y + 6, distinct(rows)));
  return picture(left + wide + right, y + 34, title, ...drawn);
}

/** Text as XML takes it: control characters are not allowed even when they are escaped. */
export function escape(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** A name that fits; its end tells more than its middle. */
export function cut(text: string, most: number): string {
  const signs = [...text];
  if (signs.length <= most) return text;
  const tail = Math.floor(most / 2);
  return `${signs.slice(0, most - tail - 1).join("")}…${signs.slice(-tail).join("")}`;
}

function distinct(rows: BarRow[]): BarPart[] {
  const seen = new Map(rows.flatMap((row) => row.parts).map((part) => [part.name, part]));
  return [...seen.values()];
}

function patterns(): string[] {
  const stroke = { stroke: colour("ink"), "stroke-opacity": 0.55, "stroke-width": 1, fill: "none" };
  const of = (id: Pattern, size: number, drawn: string) =>
    el("pattern", { id, width: size, height: size, patternUnits: "userSpaceOnUse" }, drawn);
  const path = (d: string) => el("path", { d, ...stroke });
  return [
    of("rising", 6, path("M-1 1 1-1M0 6 6 0M5 7 7 5")),
    of("falling", 6, path("M-1 5 1 7M0 0 6 6M5-1 7 1")),
    of("level", 5, path("M0 2.5H5")),
    of("upright", 5, path("M2.5 0V5")),
    of("cross", 8, path("M0 0 8 8M8 0 0 8")),
    of("dots", 5, el("circle", { cx: 2.5, cy: 2.5, r: 1, fill: colour("ink"), "fill-opacity": 0.55 })),
  ];
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}
