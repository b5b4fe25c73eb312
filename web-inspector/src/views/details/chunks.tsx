// The chunks of a file, as a strip and as a table.

import type { RefObject } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { LiveLine } from "../../canvas/live";
import { type Frame, pointOn, useSurface } from "../../canvas/surface";
import { bytes, count, counted, short } from "../../format";
import type { FileDetails } from "../../protocol";
import { Legend } from "../../parts/bar";
import { STATES } from "../../parts/looks";
import { type Column, DataTable, numeric } from "../../parts/table";

/** A chunk with its place in the file's content. */
export interface Chunk {
  number: number;
  offset: number;
  length: number;
  /** `undefined`: nobody knows. */
  compressed: number | undefined;
  digest: string;
  /** How many images have it. */
  images: number;
}

/** Chunks in order. Where the file has holes, offsets count what is stored only. */
export function chunksOf({ details }: FileDetails): Chunk[] {
  let offset = 0;
  return details.pieces.map(({ digest, bytes, images }, index) => {
    const chunk = {
      number: index + 1,
      offset,
      length: bytes.logical,
      compressed: bytes.unlocated > 0 ? undefined : bytes.compressed,
      digest,
      images,
    };
    offset += bytes.logical;
    return chunk;
  });
}

export const ALONE = { ...STATES.unique, name: "In this image only" };
export const TOGETHER = { ...STATES.shared, name: "In other images too" };

interface ChunksProps {
  file: FileDetails;
  images: number;
  picture: RefObject<HTMLCanvasElement | null>;
}

export function Chunks({ file, images, picture }: ChunksProps) {
  const chunks = useMemo(() => chunksOf(file), [file]);
  const holes = file.details.size > file.details.bytes.logical;
  if (chunks.length === 0) return null;
  const inImages = (chunk: Chunk) => `${count(chunk.images)} of ${count(images)}`;
  const columns: Column<Chunk>[] = [
    numeric("Chunk", (chunk) => chunk.number),
    numeric(holes ? "Offset without holes" : "Offset", (chunk) => chunk.offset),
    numeric("Length", (chunk) => chunk.length),
    numeric("Compressed", (chunk) => chunk.compressed ?? -1, (length) => (length < 0 ? "?" : count(length))),
    { name: "Images", numeric: true, value: inImages, sort: (chunk) => chunk.images },
    { name: "Digest", value: (chunk) => <code title={chunk.digest}>{short(chunk.digest)}</code> },
  ];
  return (
    <section aria-labelledby="file-chunks">
      <h4 id="file-chunks">{counted(chunks.length, "chunk")}</h4>
      {chunks.length > 1 && <Strip chunks={chunks} images={images} picture={picture} />}
      <DataTable caption="Chunks of the file: bytes, and how many images have them" columns={columns} rows={chunks} />
    </section>
  );
}

function Strip({ chunks, images, picture }: { chunks: Chunk[]; images: number; picture: RefObject<HTMLCanvasElement | null> }) {
  const [at, setAt] = useState<number>();
  const spot = at === undefined ? undefined : Math.min(at, chunks.length - 1);
  const width = useRef(1);
  const { canvas, redraw } = useSurface((frame) => {
    width.current = frame.width;
    paint(frame, chunks, spot);
  });
  useEffect(redraw);
  useEffect(() => {
    picture.current = canvas.current;
    return () => {
      picture.current = null;
    };
  }, []);
  const key = (event: KeyboardEvent) => {
    const now = spot ?? -1;
    const moves: Record<string, number> = {
      ArrowLeft: now - 1,
      ArrowRight: now + 1,
      PageUp: now - 20,
      PageDown: now + 20,
      Home: 0,
      End: chunks.length - 1,
    };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setAt(Math.min(chunks.length - 1, Math.max(0, to)));
  };
  const chunk = spot === undefined ? undefined : chunks[spot];
  const words = chunk
    ? `Chunk ${count(chunk.number)}: ${bytes(chunk.length)} at ${count(chunk.offset)}, ` +
      `in ${count(chunk.images)} of ${counted(images, "image")}.`
    : "Point at a chunk, or move with the arrow keys.";
  return (
    <>
      <Legend parts={[TOGETHER, ALONE]} />
      <canvas
        ref={canvas}
        class="surface chunk-strip"
        role="img"
        tabIndex={0}
        aria-label={
          `The file’s ${counted(chunks.length, "chunk")} in order, by whether other images have them. ` +
          "Arrow keys move."
        }
        onPointerMove={(event) => setAt(under(chunks, pointOn(event).x / width.current))}
        onFocus={() => setAt((now) => now ?? 0)}
        onKeyDown={key}
      />
      <LiveLine words={words} />
    </>
  );
}

function paint({ context, width, height, theme, fills }: Frame, chunks: readonly Chunk[], spot: number | undefined): void {
  context.fillStyle = theme.ground;
  context.fillRect(0, 0, width, height);
  const all = lengthOf(chunks);
  const place = (offset: number) => (offset / Math.max(1, all)) * width;
  const high = height - 8;
  if (chunks.length > width / 2) {
    // Several chunks fall on one column: it is split as their bytes are.
    columns(chunks, Math.floor(width)).forEach((part, x) => {
      context.fillStyle = fills.style(TOGETHER);
      context.fillRect(x, 4, 1, part * high);
      context.fillStyle = fills.style(ALONE);
      context.fillRect(x, 4 + part * high, 1, high - part * high);
    });
  } else {
    for (const chunk of chunks) {
      const x = place(chunk.offset);
      const wide = place(chunk.offset + chunk.length) - x;
      context.fillStyle = fills.style(chunk.images > 1 ? TOGETHER : ALONE);
      context.fillRect(x, 4, wide, high);
      if (wide < 4) continue;
      context.fillStyle = theme.ground;
      context.fillRect(x + wide - 1, 4, 1, high);
    }
  }
  const chunk = spot === undefined ? undefined : chunks[spot];
  if (!chunk) return;
  const x = place(chunk.offset);
  context.strokeStyle = theme.ink;
  context.lineWidth = 2;
  context.strokeRect(x + 1, 1, Math.max(2, place(chunk.offset + chunk.length) - x - 2), height - 2);
}

/** For each of some columns, which part of its bytes is in chunks that other images have too. */
function columns(chunks: readonly Chunk[], count: number): Float64Array {
  const parts = new Float64Array(count);
  const each = lengthOf(chunks) / Math.max(1, count);
  for (const { offset, length, images } of chunks) {
    if (images < 2) continue;
    const end = offset + length;
    for (let column = Math.floor(offset / each); column < count && column * each < end; column += 1) {
      const inside = Math.min(end, (column + 1) * each) - Math.max(offset, column * each);
      parts[column] = Math.min(1, (parts[column] ?? 0) + inside / each);
    }
  }
  return parts;
}

/** The chunk at a part of the strip's width. */
function under(chunks: readonly Chunk[], part: number): number {
  const offset = part * lengthOf(chunks);
  let [low, high] = [0, chunks.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((chunks[middle]?.offset ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

function lengthOf(chunks: readonly Chunk[]): number {
  const last = chunks.at(-1);
  return last ? last.offset + last.length : 0;
}
