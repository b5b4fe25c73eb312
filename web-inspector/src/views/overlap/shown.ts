// Which bytes are shown, and what a cell of the matrix means.

import type { OverlapAmount, OverlapBytes, OverlapSummary } from "@shingle/core";

import { bytes, percent, visible } from "../../format";
import type { ImageInfo, Measure, OverlapFigures } from "../../protocol";

/** What counts as shared: whole files, or chunks, which files of other contents may have too. */
export type Grain = "files" | "chunks";

export interface Shown {
  grain: Grain;
  measure: Measure;
}

/** Compressed bytes only where they are known of all images; as `shingle overlap` does. */
export function knownMeasure(summary: OverlapSummary, wanted: Measure): Measure {
  return summary.images.every((image) => image.distinctChunks.bytes.unlocated === 0) ? wanted : "logical";
}

export function bytesOf(shown: Shown, bytes: OverlapBytes): number {
  return bytes[shown.measure];
}

/** Of what is counted by file and by chunk, what is wanted. */
export function amountOf(shown: Shown, files: OverlapAmount, chunks: OverlapAmount): OverlapAmount {
  return shown.grain === "files" ? files : chunks;
}

export function unit({ grain, measure }: Shown): string {
  return `${grain === "files" ? "whole files" : "chunks"}, ${measure === "compressed" ? "compressed" : "uncompressed"}`;
}

/** The matrix in numbers: row by row, the bytes of the row's image that are in the column's. */
export class Cells {
  readonly #bytes: Float64Array;
  /** The most that two images share. */
  readonly most: number;

  constructor(
    readonly images: readonly ImageInfo[],
    { matrix }: OverlapFigures,
    readonly shown: Shown,
  ) {
    this.#bytes = Float64Array.from(matrix[shown.grain], (cell) => bytesOf(shown, cell));
    let most = 0;
    for (let row = 0; row < this.size; row += 1) {
      for (let column = 0; column < this.size; column += 1) if (row !== column) most = Math.max(most, this.at(row, column));
    }
    this.most = most;
  }

  get size(): number {
    return this.images.length;
  }

  at(row: number, column: number): number {
    return this.#bytes[row * this.size + column] ?? 0;
  }

  /** All of an image. */
  all(image: number): number {
    return this.at(image, image);
  }

  /** Which part of the row's image is in the column's. */
  share(row: number, column: number): number {
    return this.all(row) > 0 ? this.at(row, column) / this.all(row) : 0;
  }

  name(image: number): string {
    return visible(this.images[image]?.name ?? "");
  }

  /** What a cell means. */
  words(row: number, column: number): string {
    const part = this.at(row, column);
    const all = this.all(row);
    if (row === column) return `${this.name(row)} holds ${bytes(all)}.`;
    return `${bytes(part)} of ${this.name(row)}’s ${bytes(all)} (${percent(part, all)}) are in ${this.name(column)}.`;
  }

  /** A cell in bytes and as a share. */
  both(row: number, column: number): string {
    if (row === column) return `all: ${bytes(this.all(row))}`;
    return `${bytes(this.at(row, column))}, ${percent(this.at(row, column), this.all(row))}`;
  }

  /** What a cell shows. */
  text(row: number, column: number, mode: Mode): string {
    const part = this.at(row, column);
    return mode === "bytes" || row === column ? bytes(part) : percent(part, this.all(row));
  }
}

export type Mode = "bytes" | "share";
