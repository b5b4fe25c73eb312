import "./drop.css";

import { useEffect, useState } from "preact/hooks";

import { type Source, dropped } from "./files";

/** Takes files that are dropped anywhere on the page, and says so while they are held over it. */
export function Drop({ onDrop }: { onDrop(sources: Source[]): void }) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    // Enters and leaves come for every element below the pointer.
    let depth = 0;
    const files = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent) => {
      if (!files(event)) return;
      event.preventDefault();
      depth += 1;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!files(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const move = (event: DragEvent) => {
      if (!files(event)) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    };
    const drop = (event: DragEvent) => {
      if (!event.dataTransfer || !files(event)) return;
      // Or else the browser would leave the page for the file.
      event.preventDefault();
      depth = 0;
      setOver(false);
      onDrop(dropped(event.dataTransfer));
    };
    const heard = [
      ["dragenter", enter],
      ["dragleave", leave],
      ["dragover", move],
      ["drop", drop],
    ] as const;
    for (const [name, listener] of heard) document.addEventListener(name, listener);
    return () => {
      for (const [name, listener] of heard) document.removeEventListener(name, listener);
    };
  }, [onDrop]);
  return over ? <div class="drop">Drop files or folders to open them</div> : null;
}
