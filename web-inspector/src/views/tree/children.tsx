// What the picture shows, as a table: the children of its directory with all figures.

import { useMemo, useState } from "preact/hooks";

import { bytes, percent } from "../../format";
import { RouteLink } from "../../parts/link";
import { KIND_WORDS } from "../../parts/nodes";
import { type Column, DataTable, numeric } from "../../parts/table";
import type { NodeIndex } from "../../protocol";
import type { TreeProps } from "./index";
import { pathOf } from "./words";

export function Children(props: TreeProps) {
  const [open, setOpen] = useState(false);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      {open && <Table {...props} />}
    </details>
  );
}

function Table({ tree, root, reveal, route, go }: TreeProps) {
  const rows = useMemo(() => tree.largest(root), [tree, root]);
  const all = tree.bytes[root] ?? 0;
  const { files, shared, partly, partlyShared, unique, wasted } = tree.arrays;
  const figure = (name: string, of: Float64Array) => numeric<NodeIndex>(name, (node) => of[node] ?? 0, bytes);
  const columns: Column<NodeIndex>[] = [
    {
      name: "Name",
      value: (node) =>
        tree.isDirectory(node) ? (
          <button type="button" class="plain" onClick={() => reveal(node)}>
            {tree.label(node)}/
          </button>
        ) : (
          <RouteLink to={{ view: "file", path: tree.path(node) }} at={{ route, go }}>
            {tree.label(node)}
          </RouteLink>
        ),
      sort: (node) => tree.label(node),
    },
    {
      name: "Kind",
      value: (node) => `${KIND_WORDS[tree.kind(node)]}${tree.isGone(node) ? ", removed by an upper layer" : ""}`,
      sort: (node) => `${KIND_WORDS[tree.kind(node)]}${tree.isGone(node) ? " removed" : ""}`,
    },
    figure("Bytes", tree.bytes),
    { ...figure("Of all", tree.bytes), value: (node) => percent(tree.bytes[node] ?? 0, all) },
    numeric("Files", (node) => files[node] ?? 0),
    figure("Shared", shared),
    figure("Partly shared", partly),
    figure("… of it shared", partlyShared),
    figure("Unique", unique),
    figure("Wasted", wasted),
  ];
  return <DataTable caption={`What is in ${pathOf(tree, root)}`} columns={columns} rows={rows} empty="It is empty." />;
}
