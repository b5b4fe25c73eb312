// The line below a picture that says what is under the pointer or the keyboard's cursor.

import { useEffect, useRef, useState } from "preact/hooks";

import "./canvas.css";

/** The least time between two changes: a screen reader must not be flooded while a pointer sweeps over the picture. */
const PAUSE = 250;

/** Says `words`, politely, and not more often than four times a second; the last words are always said. */
export function LiveLine({ words }: { words: string }) {
  const [said, say] = useState(words);
  const next = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, next.current - performance.now());
    const timer = setTimeout(() => {
      next.current = performance.now() + PAUSE;
      say(words);
    }, wait);
    return () => clearTimeout(timer);
  }, [words]);
  return (
    <p class="live-line" role="status" aria-live="polite">
      {said}
    </p>
  );
}
