// What two images differ by, in figures and as bars.

import { bytes, count } from "../../format";
import type { DiffArrays } from "../../protocol";
import { Bar, Legend } from "../../parts/bar";
import { Figures } from "../../parts/figures";
import { CHANGE_LOOKS } from "../../parts/looks";
import { type Column, DataTable, numeric } from "../../parts/table";
import { type Change, type Sum, unlocatedOf } from "./changes";

interface SummaryProps {
  summary: DiffArrays["summary"];
  sums: Sum[];
  /** The old image's name. */
  old: string;
}

export function Summary({ summary, sums, old }: SummaryProps) {
  const { newFiles, newChunks, same } = summary;
  const known = newChunks.unlocated === 0;
  // What is not known is not in the sums.
  const least = (change: Change) => (unlocatedOf(summary, change) > 0 ? "at least " : "");
  const paths = sums.reduce((sum, { paths }) => sum + paths, 0);
  const columns: Column<Sum>[] = [
    { name: "Change", value: ({ change }) => `${CHANGE_LOOKS[change].letter}  ${CHANGE_LOOKS[change].name}` },
    numeric("Paths", (sum) => sum.paths),
    numeric("Bytes", (sum) => sum.logical, bytes),
    {
      name: "Compressed",
      numeric: true,
      value: (sum) => least(sum.change) + bytes(sum.compressed),
      sort: (sum) => sum.compressed,
    },
    {
      name: "To fetch",
      numeric: true,
      value: (sum) => (sum.change === "removed" ? "–" : least(sum.change) + bytes(sum.fresh)),
      sort: (sum) => sum.fresh,
    },
  ];
  return (
    <>
      <Figures
        figures={[
          { name: "Paths that differ", value: count(paths), note: `${count(same.count)} are alike` },
          known
            ? { name: "To fetch", value: bytes(newChunks.compressed), note: `compressed, by a machine that has ${old}` }
            : { name: "To fetch", value: "?", note: "some layers were read whole, so nobody knows" },
          { name: "New in chunks", value: bytes(newChunks.logical), note: "uncompressed; hidden files are counted too" },
          { name: "New in whole files", value: bytes(newFiles.logical), note: "what a store without chunks would need" },
        ]}
      />
      <Legend parts={sums.map(({ change, paths }) => ({ ...CHANGE_LOOKS[change], value: paths }))} format={count} />
      <div class="diff-bars">
        <ChangeBar name="Paths" sums={sums} value={(sum) => sum.paths} format={count} />
        <ChangeBar name="Bytes" sums={sums} value={(sum) => sum.logical} />
        <ChangeBar name="To fetch" sums={sums} value={(sum) => (sum.change === "removed" ? 0 : sum.fresh)} />
      </div>
      <details>
        <summary>As a table</summary>
        <DataTable caption="What changed" columns={columns} rows={sums} />
      </details>
    </>
  );
}

interface ChangeBarProps {
  name: string;
  sums: Sum[];
  value(sum: Sum): number;
  format?(value: number): string;
}

function ChangeBar({ name, sums, value, format = bytes }: ChangeBarProps) {
  const parts = sums.map((sum) => ({ ...CHANGE_LOOKS[sum.change], value: value(sum) }));
  const all = parts.reduce((sum, part) => sum + part.value, 0);
  return (
    <div class="diff-bar">
      <span>{name}</span>
      <Bar label={name} parts={parts} format={format} />
      <b>{format(all)}</b>
    </div>
  );
}
