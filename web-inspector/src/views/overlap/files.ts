// The figures of the view as files.

import type { ImageInfo, OverlapFigures } from "../../protocol";
import { type Cell, csvLines } from "../../export/csv";
import { jsonText } from "../../export/json";
import { block, cut, el, heading, label, picture } from "../../export/svg";
import { colour } from "../../parts/looks";
import { nameOf } from "../../parts/picks";
import { strength, tint } from "./heat";
import { type Cells, type Mode, unit } from "./shown";

/** All figures, in whole files and in chunks, compressed and not. */
export function overlapJson(images: readonly ImageInfo[], { summary, matrix, order, shared }: OverlapFigures): string {
  const of = images.map(({ name, digest, platform, readBytes, requests }, index) => ({
    name,
    digest,
    platform,
    readBytes,
    requests,
    ...summary.images[index],
  }));
  const { sharedBy, distinct, distinctChunks } = summary;
  return jsonText("overlap", { images: of, sharedBy, distinct, distinctChunks, matrix, order, sharedContents: shared });
}

const HEAD = [
  "image",
  "other",
  "files_bytes",
  "files_compressed_bytes",
  "files_unlocated_bytes",
  "chunks_bytes",
  "chunks_compressed_bytes",
  "chunks_unlocated_bytes",
];

/** The matrix, one line for each pair: how many bytes of `image` are in `other`. */
export function matrixCsv(images: readonly ImageInfo[], { matrix }: OverlapFigures): Iterable<string> {
  function* rows(): Iterable<readonly Cell[]> {
    for (let cell = 0; cell < matrix.files.length; cell += 1) {
      const [row, column] = [Math.floor(cell / images.length), cell % images.length];
      const [files, chunks] = [matrix.files[cell], matrix.chunks[cell]];
      yield [
        nameOf(images, row),
        nameOf(images, column),
        files?.logical,
        files?.compressed,
        files?.unlocated,
        chunks?.logical,
        chunks?.compressed,
        chunks?.unlocated,
      ];
    }
  }
  return csvLines(HEAD, rows());
}

const TITLE = "What each column’s image has of each row’s";
const LEFT = 250;
const TOP = 64;
const HIGH = 30;

/** The matrix as it is on the page. */
export function matrixSvg(cells: Cells, mode: Mode): string {
  const wide = cells.size <= 20 ? 76 : 30;
  const drawn: string[] = [
    heading(TITLE),
    label(10, 42, `In ${unit(cells.shown)}`),
  ];
  for (let row = 0; row < cells.size; row += 1) {
    const y = TOP + row * HIGH;
    drawn.push(label(LEFT + (row + 0.5) * wide, TOP - 6, String(row + 1), { "text-anchor": "middle" }));
    drawn.push(label(10, y + 19, `${row + 1}  ${cut(cells.name(row), 30)}`));
    for (let column = 0; column < cells.size; column += 1) {
      const x = LEFT + column * wide;
      const at = { x, y, width: wide, height: HIGH };
      const part = strength(cells, mode, row, column);
      if (row === column) drawn.push(block(x, y, wide, HIGH, "skipped"));
      else if (part > 0) {
        drawn.push(el("rect", { ...at, fill: colour("shared"), "fill-opacity": tint(part) }));
        drawn.push(block(x, y + HIGH - 4, wide * part, 4, "shared"));
      }
      drawn.push(el("rect", { ...at, fill: "none", stroke: colour("line") }));
      const text = cells.text(row, column, mode);
      if (wide > 40) drawn.push(label(x + wide / 2, y + 19, text, { "text-anchor": "middle", "font-size": 11 }));
    }
  }
  return picture(LEFT + cells.size * wide + 10, TOP + cells.size * HIGH + 10, TITLE, ...drawn);
}
