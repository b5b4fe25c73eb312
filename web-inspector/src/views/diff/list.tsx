// The paths that differ.

import { useMemo } from "preact/hooks";

import { bytes, visible } from "../../format";
import { Swatch } from "../../parts/bar";
import { RouteLink } from "../../parts/link";
import { CHANGE_LOOKS } from "../../parts/looks";
import { type Column, DataTable, numeric } from "../../parts/table";
import type { ViewProps } from "../view";
import { type Changes, renamed } from "./changes";

interface ListProps extends Pick<ViewProps, "route" | "go" | "call"> {
  changes: Changes;
  rows: Uint32Array;
  old: number;
  now: number;
}

export function List({ changes, rows, old, now, route, go, call }: ListProps) {
  const columns = useMemo((): Column<number>[] => {
    const { logical, compressed, fresh, changed } = changes.arrays;
    const inBlob = (name: string, of: Float64Array): Column<number> => ({
      name,
      numeric: true,
      value: (row) => {
        if (of === fresh && changes.change(row) === "removed") return "–";
        return changes.unlocated(row) ? "?" : bytes(of[row] ?? 0);
      },
      sort: (row) => of[row] ?? 0,
    });
    return [
      {
        name: "Change",
        value: (row) => <Mark change={changes.change(row)} />,
        sort: (row) => changed[row] ?? 0,
      },
      // Rows come in the order of their paths.
      {
        name: "Path",
        heads: true,
        value: (row) => <PathOf {...{ changes, row, old, now, route, go, call }} />,
        sort: (row) => row,
      },
      {
        name: "Properties",
        value: (row) => changes.fields(row).join(", ") || "–",
        sort: (row) => changes.fields(row).join(" "),
      },
      numeric("Bytes", (row) => logical[row] ?? 0, bytes),
      inBlob("Compressed", compressed),
      inBlob("To fetch", fresh),
    ];
  }, [changes, old, now, route, go, call]);
  const empty = "Nothing differs that the filter lets through.";
  return <DataTable caption="Paths that differ" columns={columns} rows={rows} empty={empty} />;
}

function Mark({ change }: { change: ReturnType<Changes["change"]> }) {
  const look = CHANGE_LOOKS[change];
  return (
    <span class="diff-mark" title={look.name}>
      <Swatch {...look} />
      {look.letter} <span class="diff-word">{look.name}</span>
    </span>
  );
}

function PathOf({ changes, row, old, now, route, go, call }: Omit<ListProps, "rows"> & { row: number }) {
  const path = changes.path(row);
  const before = changes.oldPath(row);
  const { side, node } = changes.place(row);
  const image = side === "new" ? now : old;
  const shown = before === undefined ? path : renamed(visible(before), path);
  if (!path.includes("\\")) {
    return (
      <RouteLink at={{ route, go }} to={{ view: "file", image, path }}>
        {shown || "/"}
      </RouteLink>
    );
  }
  // Something in it is escaped, so that what is shown may not be the path.
  const open = async () => {
    const { path } = await call("details", { image, node });
    go({ view: "file", image, path });
  };
  return (
    <button type="button" class="plain" onClick={() => void open()}>
      {shown}
    </button>
  );
}
