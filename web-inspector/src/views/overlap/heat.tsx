// The matrix as a picture: a cell’s colour is the stronger, and the line at its foot the longer, the more of the row's image is in
// the column's.

import type { RefObject } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { LiveLine } from "../../canvas/live";
import { type Frame, pointOn, useSurface } from "../../canvas/surface";
import { Fitter } from "../../canvas/text";
import { cut } from "../../export/svg";
import type { Cells, Mode } from "./shown";

interface HeatProps {
  cells: Cells;
  mode: Mode;
  /** Shows what differs between two images. */
  compare(old: number, now: number): void;
  /** The canvas, for export. */
  picture: RefObject<HTMLCanvasElement | null>;
}

interface Spot {
  row: number;
  column: number;
}

const FONT = "13px system-ui, sans-serif";
const HEAD = 22;

export function Heat({ cells, mode, compare, picture }: HeatProps) {
  const [spot, setSpot] = useState<Spot>();
  const fitter = useMemo(() => new Fitter(FONT), []);
  const at = spot && spot.row < cells.size && spot.column < cells.size ? spot : undefined;
  const width = useRef(0);
  const { canvas, redraw } = useSurface((frame) => {
    width.current = frame.width;
    paint(frame, cells, mode, at, fitter);
  });
  useEffect(redraw);
  useEffect(() => {
    picture.current = canvas.current;
  });

  const under = (event: MouseEvent): Spot | undefined => {
    const { x, y } = pointOn(event);
    const { left, wide, high } = layout(width.current, cells.size);
    const found = { row: Math.floor((y - HEAD) / high), column: Math.floor((x - left) / wide) };
    // The name of a row is the cell of the image itself.
    if (found.column < 0) found.column = found.row;
    if (found.row < 0) found.row = found.column;
    return found.row >= 0 && found.row < cells.size && found.column >= 0 && found.column < cells.size ? found : undefined;
  };
  const open = (spot: Spot | undefined) => {
    if (spot && spot.row !== spot.column) compare(spot.row, spot.column);
  };
  const key = (event: KeyboardEvent) => {
    const { row, column } = at ?? { row: 0, column: 0 };
    const last = cells.size - 1;
    const moves: Record<string, Spot> = {
      ArrowUp: { row: row - 1, column },
      ArrowDown: { row: row + 1, column },
      ArrowLeft: { row, column: column - 1 },
      ArrowRight: { row, column: column + 1 },
      Home: { row: event.ctrlKey ? 0 : row, column: 0 },
      End: { row: event.ctrlKey ? last : row, column: last },
      PageUp: { row: 0, column },
      PageDown: { row: last, column },
    };
    const to = moves[event.key];
    if (event.key === "Enter" || event.key === " ") open(at);
    else if (to) setSpot({ row: clamp(to.row, last), column: clamp(to.column, last) });
    else return;
    event.preventDefault();
  };
  const said = at
    ? `${cells.words(at.row, at.column)}${at.row === at.column ? "" : " Enter or a click shows what differs."}`
    : "Point at a cell, or move with the arrow keys.";
  return (
    <div class="heat">
      <canvas
        ref={canvas}
        class="surface"
        role="img"
        tabIndex={0}
        aria-label={
          `Matrix of ${cells.size} by ${cells.size} images: what each column’s image has of each row’s. ` +
          "Arrow keys move, Enter compares."
        }
        style={{ blockSize: `${(HEAD + cells.size * rowHeight(cells.size) + 1) / 16}rem` }}
        onPointerMove={(event) => setSpot((now) => same(now, under(event)))}
        onClick={(event) => {
          // A finger has not pointed before it taps: its first tap says what a cell means, the second one opens it.
          const to = under(event);
          if (to && same(at, to) === at) open(to);
          else setSpot(to);
        }}
        onFocus={() => setSpot((now) => now ?? { row: 0, column: 0 })}
        onKeyDown={key}
      />
      <LiveLine words={said} />
    </div>
  );
}

function layout(width: number, size: number): { left: number; wide: number; high: number } {
  const left = width >= 560 ? Math.min(240, Math.round(width * 0.28)) : 28;
  return { left, wide: Math.max(1, (width - left - 1) / size), high: rowHeight(size) };
}

function rowHeight(size: number): number {
  return size <= 5 ? 52 : size <= 12 ? 36 : size <= 24 ? 24 : size <= 60 ? 15 : 9;
}

function paint(frame: Frame, cells: Cells, mode: Mode, spot: Spot | undefined, fitter: Fitter): void {
  const { context, width, height, theme } = frame;
  const { left, wide, high } = layout(width, cells.size);
  // For whoever saves the picture.
  context.fillStyle = theme.ground;
  context.fillRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  const every = Math.max(1, Math.ceil(20 / wide));
  for (let image = 0; image < cells.size; image += 1) {
    const number = String(image + 1);
    context.fillStyle = spot?.column === image ? theme.accent : theme.ink;
    context.textAlign = "center";
    if (image % every === 0 || spot?.column === image) context.fillText(number, left + (image + 0.5) * wide, HEAD / 2);
    context.fillStyle = spot?.row === image ? theme.accent : theme.ink;
    context.textAlign = "left";
    if (high < 12 && image % 2 === 1 && spot?.row !== image) continue;
    const named = left > 40 ? `${number}  ${cells.name(image)}` : number;
    // Names of one registry differ at their end.
    context.fillText(fitter.fit(context, cut(named, Math.floor(left / 6.8)), left - 8), 0, HEAD + (image + 0.5) * high);
  }
  context.textAlign = "center";
  const fits = wide >= (mode === "bytes" ? 62 : 48) && high >= 15;
  context.fillStyle = theme.raised;
  context.fillRect(left, HEAD, cells.size * wide, cells.size * high);
  const foot = Math.max(2, Math.round(high * 0.12));
  for (let row = 0; row < cells.size; row += 1) {
    for (let column = 0; column < cells.size; column += 1) {
      const [x, y] = [left + column * wide, HEAD + row * high];
      const part = strength(cells, mode, row, column);
      if (row === column) {
        context.fillStyle = theme.skipped;
        context.fillRect(x, y, wide, high);
      } else if (part > 0) {
        context.fillStyle = theme.shared;
        context.globalAlpha = tint(part);
        context.fillRect(x, y, wide, high);
        context.globalAlpha = 1;
        context.fillRect(x, y + high - foot, wide * part, foot);
      }
      if (fits) {
        context.fillStyle = theme.ink;
        context.fillText(cells.text(row, column, mode), x + wide / 2, y + high / 2 - 1);
      }
    }
  }
  if (wide >= 6) {
    context.fillStyle = theme.line;
    for (let line = 0; line <= cells.size; line += 1) {
      context.fillRect(left + Math.round(line * wide), HEAD, 1, cells.size * high);
      context.fillRect(left, HEAD + line * high, cells.size * wide, 1);
    }
  }
  if (!spot) return;
  context.strokeStyle = theme.accent;
  context.lineWidth = 3;
  context.strokeRect(left + spot.column * wide + 1.5, HEAD + spot.row * high + 1.5, Math.max(1, wide - 2), high - 2);
}

/** How strong a cell’s colour is, from 0 to 1. */
export function strength(cells: Cells, mode: Mode, row: number, column: number): number {
  return mode === "share" ? cells.share(row, column) : cells.at(row, column) / Math.max(1, cells.most);
}

/** So that text stays readable on it. */
export function tint(part: number): number {
  return part > 0 ? 0.06 + 0.44 * Math.min(1, part) : 0;
}

function clamp(value: number, last: number): number {
  return Math.min(last, Math.max(0, value));
}

/** Keeps the object while the pointer stays in a cell, so that nothing is drawn anew. */
function same(now: Spot | undefined, to: Spot | undefined): Spot | undefined {
  return to && now?.row === to.row && now.column === to.column ? now : (to ?? now);
}
