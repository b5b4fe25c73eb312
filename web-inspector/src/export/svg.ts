// Pictures as files that more than one view makes.

import { Svg } from "../canvas/svg";
import { theme } from "../canvas/theme";
import type { Part } from "../parts/bar";

export interface BarRow {
  name: string;
  parts: readonly Part[];
  /** Said to the right of the bar. */
  said: string;
}

const LEFT = 220;
const BAR = 560;
const RIGHT = 150;
const LINE = 26;

/** Bars one below the other, all to one scale, and what their parts mean. */
export function barsPicture(title: string, rows: readonly BarRow[], format: (value: number) => string): string {
  const colours = theme();
  const most = Math.max(1, ...rows.map((row) => row.parts.reduce((sum, part) => sum + part.value, 0)));
  const svg = new Svg(LEFT + BAR + RIGHT, 40 + rows.length * LINE + 40, colours, title);
  svg.text(10, 20, title, colours.ink, 15);
  rows.forEach((row, index) => {
    const y = 40 + index * LINE;
    svg.text(LEFT - 8, y + 9, cut(row.name, 34), colours.ink, 12, "end");
    let x = LEFT;
    for (const part of row.parts) {
      const width = (BAR * part.value) / most;
      const { name, token, pattern = "plain" } = part;
      if (width > 0) svg.box(x, y, width, 18, { name, token, pattern }, `${row.name}: ${name} ${format(part.value)}`);
      x += width;
    }
    svg.text(x + 8, y + 9, row.said, colours.ink, 12);
  });
  let x = LEFT;
  const y = 40 + rows.length * LINE + 8;
  for (const { name, token, pattern = "plain" } of meanings(rows)) {
    svg.box(x, y, 14, 14, { name, token, pattern });
    svg.text(x + 20, y + 7, name, colours.ink, 12);
    x += 44 + 7 * name.length;
  }
  return svg.toString();
}

/** A name that fits; its end tells more than its middle. */
export function cut(text: string, most: number): string {
  const signs = [...text];
  if (signs.length <= most) return text;
  const tail = Math.floor(most / 2);
  return `${signs.slice(0, most - tail - 1).join("")}…${signs.slice(-tail).join("")}`;
}

function meanings(rows: readonly BarRow[]): Part[] {
  return [...new Map(rows.flatMap((row) => row.parts).map((part) => [part.name, part])).values()];
}
