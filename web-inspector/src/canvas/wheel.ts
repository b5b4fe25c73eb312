// Wheels on a picture.

import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** Hears the wheel over a canvas, which must be there as long as the component is; the last `heard` does. It may keep the page from scrolling. */
export function useWheel(canvas: RefObject<HTMLCanvasElement | null>, heard: (event: WheelEvent) => void): void {
  const last = useRef(heard);
  last.current = heard;
  useEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const wheel = (event: WheelEvent) => last.current(event);
    // Not by JSX: Preact's listener would be passive, and so could not keep the page from scrolling.
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, [canvas]);
}
