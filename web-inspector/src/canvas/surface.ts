// A canvas that is as sharp as the screen, has the page's colours, and draws at most once for each picture of the screen.

import type { RefObject } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";

import "./canvas.css";
import { Fills } from "./fills";
import { onTheme, type Theme, theme } from "./theme";

/** What a picture is drawn with; lengths are CSS pixels, the origin is at the top left. Where the page's letters are larger
 than 16 pixels, as on a 4K screen, lengths are in proportion larger pixels: so a picture's own letters grow with them. */
export interface Frame {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  /** Pixels of the screen for each pixel of lengths. */
  ratio: number;
  theme: Theme;
  fills: Fills;
  /** The clock of `requestAnimationFrame`, for glides. */
  time: number;
}

/** Draws all of the canvas, which is empty. `again`: something is moving, so draw the next picture as well. */
export type Paint = (frame: Frame) => "again" | void;

export interface Surface {
  /** For the <canvas>; give it the class `surface` and a height by CSS. */
  canvas: RefObject<HTMLCanvasElement | null>;
  /** Draws soon; any number of calls before the next picture of the screen draw once. */
  redraw(): void;
}

/** No side of a canvas may be longer in browsers. */
const LONGEST = 8192;

/** A canvas, which must be there as long as the component is, drawn by `paint`: when it comes, changes its size, when colours change, and after `redraw()`. `paint` may be a new
 function each time: the last one draws. It does not draw by itself because `paint` is new. */
export function useSurface(paint: Paint): Surface {
  const canvas = useRef<HTMLCanvasElement | null>(null);
  const last = useRef(paint);
  last.current = paint;
  const asked = useRef(0);
  const fills = useRef<Fills | undefined>(undefined);
  const size = useRef({ width: 0, height: 0, ratio: 1 });

  const { draw, redraw } = useMemo(() => {
    const draw = (time: number) => {
      cancelAnimationFrame(asked.current);
      asked.current = 0;
      const context = canvas.current?.getContext("2d");
      const { width, height, ratio } = size.current;
      if (!context || width === 0 || height === 0) return;
      const colours = theme();
      if (fills.current?.theme !== colours || fills.current.ratio !== ratio) fills.current = new Fills(colours, ratio);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, height);
      const more = last.current({ context, width, height, ratio, theme: colours, fills: fills.current, time });
      if (more === "again") redraw();
    };
    const redraw = () => {
      if (asked.current === 0) asked.current = requestAnimationFrame(draw);
    };
    return { draw, redraw };
  }, []);

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      if (!entry) return;
      const [css] = entry.contentBoxSize;
      const unit = pixel();
      const width = (css?.inlineSize ?? 0) / unit;
      const height = (css?.blockSize ?? 0) / unit;
      // Exact pixels where the browser tells them, so that lines are sharp at any zoom of the page.
      const exact = entry.devicePixelContentBoxSize?.[0];
      const wide = Math.min(LONGEST, exact?.inlineSize ?? Math.round(width * unit * devicePixelRatio));
      const high = Math.min(LONGEST, exact?.blockSize ?? Math.round(height * unit * devicePixelRatio));
      size.current = { width, height, ratio: width > 0 ? wide / width : 1 };
      if (element.width !== wide) element.width = wide;
      if (element.height !== high) element.height = high;
      // At once: a new size empties the canvas, and the next picture of the screen would come after the empty one.
      draw(performance.now());
    });
    try {
      observer.observe(element, { box: "device-pixel-content-box" });
    } catch {
      observer.observe(element);
    }
    const stop = onTheme(redraw);
    return () => {
      observer.disconnect();
      stop();
      cancelAnimationFrame(asked.current);
      asked.current = 0;
    };
  }, [draw, redraw]);

  return { canvas, redraw };
}

/** Where an event of the pointer is on the canvas, in lengths of `Frame`. */
export function pointOn(event: MouseEvent): { x: number; y: number } {
  const box = (event.currentTarget as Element).getBoundingClientRect();
  const unit = pixel();
  return { x: (event.clientX - box.left) / unit, y: (event.clientY - box.top) / unit };
}

function pixel(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;
}
