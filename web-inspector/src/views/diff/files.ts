// A diff as files, row by row: all of it may be long.

import type { Cell } from "../../export/csv";
import { csvLines } from "../../export/csv";
import { jsonLines } from "../../export/json";
import { barsPicture } from "../../export/svg";
import { bytes, count } from "../../format";
import { CHANGE_LOOKS } from "../../parts/looks";
import type { ImageInfo } from "../../protocol";
import type { Changes, Sum } from "./changes";

const HEAD = ["change", "path", "old_path", "properties", "bytes", "compressed_bytes", "to_fetch_bytes"];

export function diffCsv(changes: Changes, rows: Uint32Array): Iterable<string> {
  const { logical, compressed, fresh } = changes.arrays;
  function* lines(): Iterable<Cell[]> {
    for (const row of rows) {
      const properties = changes.fields(row).join(" ");
      // Empty where nobody knows.
      const inBlob = changes.unlocated(row) ? [undefined, undefined] : [compressed[row], fresh[row]];
      yield [changes.change(row), changes.path(row), changes.oldPath(row), properties, logical[row], ...inBlob];
    }
  }
  return csvLines(HEAD, lines());
}

export function diffJson(old: ImageInfo, now: ImageInfo, changes: Changes, rows: Uint32Array): Iterable<string> {
  const side = ({ name, digest, platform }: ImageInfo) => ({ image: name, digest, platform });
  const { logical, compressed, fresh, summary } = changes.arrays;
  function* objects(): Iterable<object> {
    for (const row of rows) {
      yield {
        status: changes.change(row),
        path: changes.path(row),
        oldPath: changes.oldPath(row),
        properties: changes.fields(row),
        logical: logical[row],
        // Left out where nobody knows.
        ...(!changes.unlocated(row) && { compressed: compressed[row], fresh: fresh[row] }),
      };
    }
  }
  const head = { old: side(old), new: side(now), summary, paths: changes.length, listed: rows.length };
  return jsonLines("diff", head, "changes", objects());
}

export function diffSvg(title: string, sums: readonly Sum[]): string {
  const parts = (value: (sum: Sum) => number) => sums.map((sum) => ({ ...CHANGE_LOOKS[sum.change], value: value(sum) }));
  const row = (name: string, value: (sum: Sum) => number, paths: number) => {
    const all = sums.reduce((sum, one) => sum + value(one), 0);
    return { name, parts: parts(value), said: `${bytes(all)}, ${count(paths)} paths` };
  };
  const paths = (some: readonly Sum[]) => some.reduce((sum, one) => sum + one.paths, 0);
  const kept = sums.filter(({ change }) => change !== "removed");
  return barsPicture(
    title,
    [
      row("Bytes", (sum) => sum.logical, paths(sums)),
      row("To fetch, compressed", (sum) => (sum.change === "removed" ? 0 : sum.fresh), paths(kept)),
    ],
    bytes,
  );
}
