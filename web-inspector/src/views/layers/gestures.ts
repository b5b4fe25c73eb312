// Fingers and mouse on a picture: dragging, pinching, clicking, resting on it.

import type { RefObject } from "preact";
import { useMemo, useRef } from "preact/hooks";

import { pointOn } from "../../canvas/surface";
import { useWheel } from "../../canvas/wheel";
import { wheelFactor } from "../../canvas/zoom";

interface Point {
  x: number;
  y: number;
}

export interface Gestures {
  /** Dragged by so much; lengths are those of pictures. */
  drag(x: number, y: number): void;
  /** Zoomed around a point; below 1 shows less, larger. Says whether it did: if not, a wheel scrolls the page. */
  zoom(factor: number, at: Point): boolean;
  click(at: Point): void;
  /** Where a mouse rests; undefined when it has gone. */
  rest(at: Point | undefined): void;
}

/** A click may tremble so much. */
const TREMBLE = 4;

/** What to spread on the canvas. The last `gestures` hear. */
export function useGestures(canvas: RefObject<HTMLCanvasElement | null>, gestures: Gestures) {
  const last = useRef(gestures);
  last.current = gestures;

  useWheel(canvas, (event) => {
    // Whoever scrolls over the picture wants to go on.
    if (document.activeElement !== event.currentTarget && !event.ctrlKey) return;
    if (gestures.zoom(wheelFactor(event), pointOn(event))) event.preventDefault();
  });

  return useMemo(() => {
    const down = new Map<number, Point>();
    let began: Point | undefined;
    const gone = (event: PointerEvent) => {
      down.delete(event.pointerId);
      if (down.size === 0) began = undefined;
    };
    return {
      onPointerDown(event: PointerEvent) {
        if (event.button !== 0) return;
        (event.currentTarget as Element).setPointerCapture(event.pointerId);
        const at = pointOn(event);
        down.set(event.pointerId, at);
        // Two fingers do not click.
        began = down.size === 1 ? at : undefined;
      },
      onPointerMove(event: PointerEvent) {
        const at = pointOn(event);
        const from = down.get(event.pointerId);
        if (!from) {
          if (event.pointerType !== "touch") last.current.rest(at);
          return;
        }
        if (began && distance(began, at) < TREMBLE) return;
        began = undefined;
        const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
        down.set(event.pointerId, at);
        if (!other) last.current.drag(at.x - from.x, at.y - from.y);
        else last.current.zoom(distance(from, other) / Math.max(1, distance(at, other)), between(at, other));
      },
      onPointerUp(event: PointerEvent) {
        if (began) last.current.click(pointOn(event));
        gone(event);
      },
      onPointerCancel: gone,
      onPointerLeave() {
        last.current.rest(undefined);
      },
    };
  }, []);
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function between(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}
