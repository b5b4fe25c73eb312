// The button by which a view gives its figures as files.

import { useEffect, useRef, useState } from "preact/hooks";

import { savePicture, saveText, type Text } from "./save";
import "./menu.css";

interface ExportProps {
  /** What the files are called, without their ending. */
  name: string;
  json?(): Text;
  csv?(): Text;
  svg?(): Text;
  /** The picture as it is on the page. */
  canvas?(): HTMLCanvasElement | null | undefined;
}

export function ExportMenu({ name, json, csv, svg, canvas }: ExportProps) {
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState("");
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return undefined;
    const outside = (event: Event) => {
      if (!place.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);

  const give = async (ending: string, make: () => Promise<void>) => {
    setOpen(false);
    button.current?.focus();
    setSaid(`Making ${ending}…`);
    try {
      await make();
      setSaid(`${ending} saved.`);
    } catch (error) {
      setSaid(`No ${ending}: ${error instanceof Error ? error.message : String(error)}.`);
    }
  };
  const text = (ending: string, type: string, make: (() => Text) | undefined) =>
    make && (
      <button
        type="button"
        onClick={() => give(ending, async () => saveText(`${name}.${ending.toLowerCase()}`, type, make()))}
      >
        {ending}
      </button>
    );
  const draw = async () => {
    const drawn = canvas?.();
    if (!drawn) throw new Error("there is no picture");
    await savePicture(`${name}.png`, drawn);
  };
  return (
    <div
      class="export"
      ref={place}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        setOpen(false);
        button.current?.focus();
      }}
    >
      <button type="button" aria-expanded={open} ref={button} onClick={() => setOpen(!open)}>
        Export
      </button>
      {open && (
        <div class="export-kinds" role="group" aria-label="Export as">
          {text("JSON", "application/json", json)}
          {text("CSV", "text/csv;charset=utf-8", csv)}
          {text("SVG", "image/svg+xml", svg)}
          {canvas && (
            <button type="button" onClick={() => give("PNG", draw)}>
              PNG
            </button>
          )}
        </div>
      )}
      <span class="export-said" role="status">
        {said}
      </span>
    </div>
  );
}
