// What a directory holds.

import { useMemo } from "preact/hooks";

import { bytes, visible } from "../../format";
import type { NodeIndex, TreeArrays } from "../../protocol";
import { Bar, Legend } from "../../parts/bar";
import { RouteLink } from "../../parts/link";
import { STATES } from "../../parts/looks";
import { KIND_WORDS, Nodes, PARTS } from "../../parts/nodes";
import { type Column, DataTable, numeric } from "../../parts/table";
import type { ViewProps } from "../view";

interface ChildrenProps extends Pick<ViewProps, "route" | "go"> {
  arrays: TreeArrays;
  node: NodeIndex;
  path: string;
}

export function Children({ arrays, node, path, route, go }: ChildrenProps) {
  const nodes = useMemo(() => new Nodes(arrays), [arrays]);
  const children = useMemo(() => nodes.children(node), [nodes, node]);
  const pathOf = (child: NodeIndex) => (path === "" ? nodes.name(child) : `${path}/${nodes.name(child)}`);
  const columns: Column<NodeIndex>[] = [
    {
      name: "Name",
      value: (child) => (
        <>
          <RouteLink at={{ route, go }} to={{ view: "file", path: pathOf(child) }}>
            {visible(nodes.name(child))}
            {nodes.kind(child) === "directory" && "/"}
          </RouteLink>
          {arrays.gone[child] === 1 && <span class="hint"> removed by an upper layer</span>}
        </>
      ),
      sort: (child) => nodes.name(child),
    },
    { name: "Kind", value: (child) => KIND_WORDS[nodes.kind(child)], sort: (child) => nodes.kind(child) },
    numeric("Files", (child) => arrays.files[child] ?? 0),
    numeric("Bytes", (child) => nodes.bytesAt(child), bytes),
    {
      name: "Shared, partly, unique, wasted",
      value: (child) => (
        <div class="cell-bar">
          <Bar label={visible(nodes.name(child))} parts={partsAt(arrays, child)} />
        </div>
      ),
      sort: (child) => (nodes.bytesAt(child) > 0 ? (arrays.shared[child] ?? 0) / nodes.bytesAt(child) : 0),
    },
  ];
  return (
    <section aria-labelledby="file-children">
      <h4 id="file-children">What it holds</h4>
      <Legend parts={PARTS.map((state) => STATES[state])} />
      <DataTable
        caption={`Bytes ${route.measure === "compressed" ? "in the blob" : "uncompressed"}, of all that is below`}
        columns={columns}
        rows={children}
        empty="Nothing."
      />
      {arrays.unlocated > 0 && route.measure === "compressed" && (
        <p class="hint">
          {bytes(arrays.unlocated)} of this image’s files are in none of these figures: their layers were read whole, so
          nobody knows what they take compressed. The measure “Uncompressed” counts them.
        </p>
      )}
    </section>
  );
}

/** The bytes at and below a path by what other images have of them. */
function partsAt(arrays: TreeArrays, node: NodeIndex) {
  return PARTS.map((state) => ({ ...STATES[state], value: arrays[state][node] ?? 0 }));
}
