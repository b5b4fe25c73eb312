// All of the blob in one row, with what the picture below shows of it marked. Whoever cannot see it misses nothing: keys and
// words are the picture's.

import { useEffect, useRef, useState } from "preact/hooks";

import { pointOn, useSurface } from "../../canvas/surface";
import type { Span } from "../../canvas/zoom";
import { Painter } from "./draw";
import type { Frames } from "./frames";

interface MapProps {
  frames: Frames;
  span: Span;
  show(span: Span): void;
}

const HEIGHT = 16;
const EDGE = 4;

export function BlobMap({ frames, span, show }: MapProps) {
  const [painter] = useState(() => new Painter());
  const wide = useRef(1);
  const { canvas, redraw } = useSurface((picture) => {
    const { context, width, theme } = picture;
    wide.current = width;
    const perPixel = Math.max(1, frames.blobBytes) / width;
    painter.rows(picture, frames, [{ x: 0, y: EDGE, width, height: HEIGHT, from: 0, bytesPerPixel: perPixel }]);
    const x = span.from / perPixel;
    const long = Math.max(3, (span.to - span.from) / perPixel);
    context.strokeStyle = theme.ink;
    context.lineWidth = 2;
    context.strokeRect(x + 1, 1, Math.max(1, long - 2), HEIGHT + 2 * EDGE - 2);
  });
  useEffect(redraw, [frames, span.from, span.to]);
  const follow = (event: PointerEvent) => {
    if ((event.buttons & 1) === 0) return;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    const middle = (pointOn(event).x / wide.current) * frames.blobBytes;
    const half = (span.to - span.from) / 2;
    show({ from: middle - half, to: middle + half });
  };
  return <canvas class="surface map-surface" ref={canvas} aria-hidden="true" onPointerDown={follow} onPointerMove={follow} />;
}
