// The rows of a diff, of which there may be hundreds of thousands: they stay arrays, and only what is seen becomes text.

import { CHANGES, type DiffArrays, type NodeIndex } from "../../protocol";
import type { Nodes } from "../../parts/nodes";

export type Change = (typeof CHANGES)[number];

/** What the bits of `DiffArrays.fields` stand for. */
const FIELDS = ["mode", "owner", "mtime", "xattrs"] as const;

const DECODER = new TextDecoder();
const ENCODER = new TextEncoder();

/** What rows come to. */
export interface Sum {
  change: Change;
  paths: number;
  logical: number;
  compressed: number;
  /** Of `compressed`, what the old image lacks. */
  fresh: number;
}

/** Longer paths than this are looked for by their new name only. */
const PATH = 8192;

export class Changes {
  readonly #room = new Uint8Array(PATH);

  constructor(
    readonly arrays: DiffArrays,
    /** The old image's paths, for what was renamed; until they are there, old names are not known. */
    readonly before: Nodes | undefined,
  ) {}

  get length(): number {
    return this.arrays.changed.length;
  }

  change(row: number): Change {
    return CHANGES[this.arrays.changed[row] ?? 0] ?? "added";
  }

  /** The path for showing: in the new image, in the old one where it was removed. */
  path(row: number): string {
    return DECODER.decode(this.arrays.paths.subarray(this.#start(row), this.arrays.pathEnds[row]));
  }

  /** What a renamed file was called before, as a path of the old image. */
  oldPath(row: number): string | undefined {
    return this.change(row) === "renamed" ? this.before?.path(this.arrays.old[row] ?? 0) : undefined;
  }

  /** Which metadata differ. */
  fields(row: number): string[] {
    const bits = this.arrays.fields[row] ?? 0;
    return FIELDS.filter((_, bit) => (bits >> bit) & 1);
  }

  /** Where the row's path is: in which of the two images, and which of its nodes. */
  place(row: number): { side: "new" | "old"; node: NodeIndex } {
    const now = this.arrays.new[row] ?? -1;
    return now >= 0 ? { side: "new", node: now } : { side: "old", node: this.arrays.old[row] ?? 0 };
  }

  /** Whether nobody knows what a row's file takes compressed, because its layer was read whole. */
  unlocated(row: number): boolean {
    const { logical, compressed, summary } = this.arrays;
    return unlocatedOf(summary, this.change(row)) > 0 && (logical[row] ?? 0) > 0 && compressed[row] === 0;
  }

  /** What all rows come to, by change. */
  sums(): Sum[] {
    const sums = CHANGES.map((change): Sum => ({ change, paths: 0, logical: 0, compressed: 0, fresh: 0 }));
    const { changed, logical, compressed, fresh } = this.arrays;
    changed.forEach((change, row) => {
      const sum = sums[change];
      if (!sum) return;
      sum.paths += 1;
      sum.logical += logical[row] ?? 0;
      sum.compressed += compressed[row] ?? 0;
      sum.fresh += fresh[row] ?? 0;
    });
    return sums;
  }

  /** The rows whose path contains a text, letters of ASCII in either case, but for some changes. */
  filter(without: readonly Change[], text: string): Uint32Array {
    const allowed = CHANGES.map((change) => !without.includes(change));
    const needle = ENCODER.encode(text).map(folded);
    const found = new Uint32Array(this.length);
    let count = 0;
    for (let row = 0; row < found.length; row += 1) {
      if (!allowed[this.arrays.changed[row] ?? 0] || !this.#contains(row, needle)) continue;
      found[count] = row;
      count += 1;
    }
    return found.slice(0, count);
  }

  #contains(row: number, needle: Uint8Array): boolean {
    const { paths, pathEnds, old } = this.arrays;
    if (within(paths, this.#start(row), pathEnds[row] ?? 0, needle)) return true;
    if (!this.before || this.change(row) !== "renamed") return false;
    const start = this.before.pathBytes(old[row] ?? 0, this.#room);
    return start >= 0 && within(this.#room, start, this.#room.length, needle);
  }

  #start(row: number): number {
    return row === 0 ? 0 : (this.arrays.pathEnds[row - 1] ?? 0);
  }
}

/** Bytes of a change of which nobody knows what they take compressed. */
export function unlocatedOf(summary: DiffArrays["summary"], change: Change): number {
  return summary[change === "content" ? "changed" : change].bytes.unlocated;
}

/** Whether bytes from `start` to `end` contain a needle that is folded already. */
function within(bytes: Uint8Array, start: number, end: number, needle: Uint8Array): boolean {
  const [first, last] = [needle[0], end - needle.length];
  if (first === undefined) return true;
  for (let at = start; at <= last; at += 1) {
    if (folded(bytes[at] ?? 0) !== first) continue;
    let same = 1;
    while (same < needle.length && folded(bytes[at + same] ?? 0) === needle[same]) same += 1;
    if (same === needle.length) return true;
  }
  return false;
}

function folded(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

/** Both paths of what was renamed, what they have in common once: `opt/{tool-1 => tool-2}/bin/tool`. */
export function renamed(old: string, now: string): string {
  const [before, after] = [old.split("/"), now.split("/")];
  const shorter = Math.min(before.length, after.length);
  let first = 0;
  while (first < shorter && before[first] === after[first]) first += 1;
  let last = 0;
  while (last < shorter - first && before.at(-1 - last) === after.at(-1 - last)) last += 1;
  const middle = (parts: string[]) => parts.slice(first, parts.length - last).join("/");
  const change = `${middle(before)} => ${middle(after)}`;
  if (first === 0 && last === 0) return change;
  const head = before.slice(0, first).map((part) => `${part}/`).join("");
  const tail = after.slice(after.length - last).map((part) => `/${part}`).join("");
  return `${head}{${change}}${tail}`;
}
