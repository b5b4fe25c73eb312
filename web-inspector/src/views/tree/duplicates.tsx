// Contents that the image has more than once.

import { useState } from "preact/hooks";

import { bytes, count, short, visible } from "../../format";
import { Await, useAsked } from "../../parts/asked";
import { DataTable, numeric } from "../../parts/table";
import type { Calls } from "../../protocol";
import type { TreeProps } from "./index";

type Duplicate = Calls["duplicates"]["answer"][number];

/** The largest so many are listed. */
const LIMIT = 500;
/** So many paths of one content are shown. */
const PATHS = 20;

export function Duplicates(props: TreeProps) {
  const [open, setOpen] = useState(false);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>What it has more than once</summary>
      {open && <List {...props} />}
    </details>
  );
}

function List({ call, images, route, reveal }: TreeProps) {
  const { image } = route;
  const asked = useAsked(call, "duplicates", { image, limit: LIMIT }, [images, image]);
  const spare = ({ more }: Duplicate) => more.bytes[route.measure];
  return (
    <Await asked={asked} what="Looking for equal contents">
      {(found) => (
        <DataTable
          caption={`Files of this image with the same content; ${
            found.length < LIMIT ? "those first that come to most" : `the ${count(LIMIT)} that come to most`
          }. The blob has them more than once, but a pull by file fetches each content once.`}
          empty="No two files of it have the same content."
          rows={found}
          columns={[
            {
              name: "Paths",
              heads: true,
              value: (row) => <Paths row={row} reveal={reveal} />,
            },
            numeric("Copies", ({ more }: Duplicate) => more.count + 1),
            numeric("Bytes more", spare, bytes),
            { name: "Content", value: ({ digest }) => <code title={digest}>{short(digest)}</code> },
          ]}
        />
      )}
    </Await>
  );
}

function Paths({ row, reveal }: { row: Duplicate } & Pick<TreeProps, "reveal">) {
  const more = row.nodes.length - PATHS;
  return (
    <ul class="tree-paths">
      {row.nodes.slice(0, PATHS).map((node, at) => (
        <li key={node}>
          <button type="button" class="plain" onClick={() => reveal(node)}>
            /{visible(row.paths[at] ?? "")}
          </button>
        </li>
      ))}
      {more > 0 && <li>and {count(more)} more</li>}
    </ul>
  );
}
