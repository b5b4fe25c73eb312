// The chosen layer's blob in rows, like lines of text: a picture to zoom, and to walk through frame by frame.

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { LiveLine } from "../../canvas/live";
import { type Frame as Picture, useSurface } from "../../canvas/surface";
import { kept, panned, revealed, type Span, zoomed } from "../../canvas/zoom";
import { say } from "../../shell/say";
import { drawOver, Painter, rowsOf } from "./draw";
import { FETCHED, type Frames } from "./frames";
import { useGestures } from "./gestures";
import { bytesPerPixel, type Grid, gridOf, least, offsetAt, ROW } from "./grid";
import { moveOf } from "./keys";
import { BlobMap } from "./map";

interface DetailProps {
  frames: Frames;
  /** What the picture shows, for people who cannot see it. */
  label: string;
  /** The frame that is chosen, -1 for none. */
  cursor: number;
  choose(frame: number): void;
  /** Says what a frame is. */
  words(frame: number): string;
  hovered(frame: number): void;
  open(): void;
  /** The canvas and what it shows, for exports. */
  shown: RefObject<Shown | null>;
}

export interface Shown {
  canvas: HTMLCanvasElement | null;
  grid: Grid;
  span: Span;
}

export function Detail({ frames, label, cursor, choose, words, hovered, open, shown }: DetailProps) {
  const all: Span = { from: 0, to: Math.max(1, frames.blobBytes) };
  const [span, setSpan] = useState(all);
  const [hover, setHover] = useState(-1);
  const [painter] = useState(() => new Painter());
  const grid = useRef<Grid>(gridOf(800, 340));
  // Events may come before what they changed is drawn.
  const now = useRef(span);
  now.current = kept(now.current, all);

  const paint = (picture: Picture) => {
    grid.current = gridOf(picture.width, picture.height);
    painter.rows(picture, frames, rowsOf(grid.current, now.current));
    drawOver(picture, frames, grid.current, now.current, { cursor, hover });
    shown.current = { canvas: canvas.current, grid: grid.current, span: now.current };
  };
  const { canvas, redraw } = useSurface(paint);
  useEffect(redraw, [frames, span, cursor, hover]);

  const show = (wanted: Span) => {
    now.current = wanted;
    setSpan(wanted);
  };
  const at = (x: number, y: number) => frames.at(offsetAt(grid.current, now.current, x, y));
  const rest = (frame: number) => {
    setHover(frame);
    hovered(frame);
  };
  const zoom = (factor: number, offset: number): boolean => {
    const wanted = zoomed(now.current, all, offset, factor, least(grid.current));
    const other = wanted.from !== now.current.from || wanted.to !== now.current.to;
    if (other) show(wanted);
    return other;
  };
  /** Where buttons and keys zoom: at what is chosen if that is seen, else in the middle. */
  const focus = () => {
    const { from, to } = now.current;
    const start = frames.start(cursor);
    return cursor >= 0 && start >= from && start < to ? start : (from + to) / 2;
  };
  const go = (frame: number) => {
    const [start, end] = [frames.start(frame), frames.end(frame)];
    const long = now.current.to - now.current.from;
    show(revealed(now.current, all, { from: start, to: Math.min(end, start + long * 0.9) }));
    choose(frame);
  };
  const jump = (step: 1 | -1) => {
    const frame = frames.nextRun(cursor, FETCHED, step);
    if (frame >= 0) go(frame);
    else say(`No ${step === 1 ? "further" : "earlier"} fetched run.`);
  };
  const gestures = useGestures(canvas, {
    drag(x, y) {
      const pixels = x + (y / ROW) * grid.current.width;
      show(panned(now.current, all, -pixels * bytesPerPixel(grid.current, now.current)));
    },
    zoom: (factor, { x, y }) => zoom(factor, offsetAt(grid.current, now.current, x, y)),
    click: ({ x, y }) => choose(at(x, y)),
    rest: (point) => rest(point ? at(point.x, point.y) : -1),
  });
  const onKeyDown = (event: KeyboardEvent) => {
    const move = moveOf(event, frames, cursor, grid.current, now.current);
    if (!move) return;
    event.preventDefault();
    if (hover >= 0) rest(-1);
    if (move.to === "frame") go(move.frame);
    else if (move.to === "fetched") jump(move.step);
    else if (move.to === "pan") show(panned(now.current, all, move.bytes));
    else if (move.to === "zoom") zoom(move.factor, focus());
    else if (move.to === "whole") show(all);
    else open();
  };
  const { from, to } = now.current;
  const widest = from === all.from && to === all.to;
  return (
    <div class="detail">
      <div class="row detail-tools" role="group" aria-label="Move in the layer">
        <button type="button" onClick={() => zoom(0.5, focus())}>
          Zoom in
        </button>
        <button type="button" onClick={() => zoom(2, focus())} aria-disabled={widest}>
          Zoom out
        </button>
        <button type="button" onClick={() => show(all)} aria-disabled={widest}>
          All of it
        </button>
        <button type="button" onClick={() => jump(-1)}>
          Previous fetched run
        </button>
        <button type="button" onClick={() => jump(1)}>
          Next fetched run
        </button>
      </div>
      <BlobMap frames={frames} span={now.current} show={(wanted) => show(kept(wanted, all))} />
      <canvas
        class="surface detail-surface"
        ref={canvas}
        role="img"
        tabIndex={0}
        aria-label={label}
        aria-describedby="layers-keys"
        onKeyDown={onKeyDown}
        {...gestures}
      />
      <LiveLine words={hover >= 0 ? words(hover) : cursor >= 0 ? words(cursor) : "No frame is chosen."} />
      <p id="layers-keys" class="hint">
        Keys on the picture: <kbd>←</kbd> <kbd>→</kbd> frame by frame, <kbd>↑</kbd> <kbd>↓</kbd> a row, <kbd>Home</kbd> <kbd>End</kbd>,{" "}
        <kbd>n</kbd> <kbd>p</kbd> next and previous fetched run, <kbd>+</kbd> <kbd>-</kbd> <kbd>0</kbd> zoom, <kbd>Shift</kbd> with arrows pans,{" "}
        <kbd>Enter</kbd> opens the file. Drag and pinch, too; a wheel zooms while the picture has the focus.
      </p>
    </div>
  );
}
