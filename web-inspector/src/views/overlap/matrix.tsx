// What each image has of each other one: as a picture, and as a table.

import type { RefObject } from "preact";
import { useMemo } from "preact/hooks";

import { bytes, percent } from "../../format";
import { type Column, DataTable, numeric } from "../../parts/table";
import { RouteLink } from "../../parts/link";
import type { ViewProps } from "../view";
import { Heat } from "./heat";
import { type Cells, type Mode, unit } from "./shown";

/** With more images a table of pairs is easier to read than one as wide as that. */
const WIDE = 12;

interface MatrixProps extends Pick<ViewProps, "route" | "go"> {
  cells: Cells;
  mode: Mode;
  picture: RefObject<HTMLCanvasElement | null>;
}

export function MatrixPart({ cells, mode, picture, route, go }: MatrixProps) {
  return (
    <section aria-labelledby="overlap-matrix">
      <h3 id="overlap-matrix">What each column’s image has of each row’s</h3>
      <p class="hint">
        In {unit(cells.shown)}. The stronger a cell’s colour, and the longer the line at its foot, the more of the row’s image is
        in the column’s.
      </p>
      <Heat cells={cells} mode={mode} picture={picture} compare={(old, now) => go({ view: "diff", image: old, other: now })} />
      <details>
        <summary>As a table</summary>
        {cells.size <= WIDE ? <Square cells={cells} mode={mode} /> : <Pairs cells={cells} at={{ route, go }} />}
      </details>
    </section>
  );
}

function Square({ cells, mode }: { cells: Cells; mode: Mode }) {
  const rows = useMemo(() => cells.images.map((_, image) => image), [cells]);
  const columns: Column<number>[] = [
    { name: "Of", value: (row) => `${row + 1}  ${cells.name(row)}` },
    ...rows.map(
      (column): Column<number> => ({
        name: `in ${column + 1}`,
        numeric: true,
        value: (row) => cells.both(row, column),
        sort: (row) => (mode === "bytes" ? cells.at(row, column) : cells.share(row, column)),
      }),
    ),
  ];
  const caption = `Bytes of each row’s image that each column’s image has (${unit(cells.shown)})`;
  return <DataTable caption={caption} columns={columns} rows={rows} />;
}

function Pairs({ cells, at }: { cells: Cells; at: Pick<ViewProps, "route" | "go"> }) {
  // The row and the column in one number.
  const pairs = useMemo(() => {
    const all = Uint32Array.from({ length: cells.size * cells.size }, (_, pair) => pair);
    return all.filter((pair) => pair % (cells.size + 1) !== 0);
  }, [cells]);
  const row = (pair: number) => Math.floor(pair / cells.size);
  const column = (pair: number) => pair % cells.size;
  const columns: Column<number>[] = [
    { name: "Of", value: (pair) => cells.name(row(pair)), sort: (pair) => cells.name(row(pair)) },
    { name: "In", value: (pair) => cells.name(column(pair)), sort: (pair) => cells.name(column(pair)) },
    numeric("Bytes", (pair) => cells.at(row(pair), column(pair)), bytes),
    {
      name: "Share",
      numeric: true,
      value: (pair) => percent(cells.at(row(pair), column(pair)), cells.all(row(pair))),
      sort: (pair) => cells.share(row(pair), column(pair)),
    },
    {
      name: "Differences",
      value: (pair) => (
        <RouteLink at={at} to={{ view: "diff", image: row(pair), other: column(pair) }}>
          Compare
        </RouteLink>
      ),
    },
  ];
  const caption = `Bytes of one image that another one has (${unit(cells.shown)})`;
  return <DataTable caption={caption} columns={columns} rows={pairs} />;
}
