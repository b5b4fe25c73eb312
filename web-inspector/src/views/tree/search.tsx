// Finding paths by a part of them.

import { useMemo } from "preact/hooks";

import type { Call } from "../../client";
import { bytes, count, counted, visible } from "../../format";
import { type Asked, FaultNote, useAsked } from "../../parts/asked";
import { type Column, DataTable, numeric } from "../../parts/table";
import type { Calls, ImageInfo, NodeIndex } from "../../protocol";
import type { Tree } from "./model";

/** More matches help nobody. */
const LIMIT = 5000;

/** So many are listed at a time: the picture below them is what is looked at. */
const LISTED = 5;

type Found = Calls["search"]["answer"];

export interface Matches {
  /** What is searched for. */
  text: string;
  /** In the order of paths. */
  nodes: Uint32Array;
  asked: Asked<Found>;
}

const NONE = new Uint32Array();

/** The paths that contain a text. */
export function useMatches(call: Call, images: ImageInfo[], image: number, text: string): Matches {
  const ask = text === "" ? undefined : { image, text, limit: LIMIT };
  const asked = useAsked(call, "search", ask, [images, image, text]);
  const { answer } = asked;
  const nodes = useMemo(() => (answer ? Uint32Array.from(answer, ({ node }) => node) : NONE), [answer]);
  return { text, nodes, asked };
}

interface FoundProps {
  tree: Tree;
  matches: Matches;
  reveal(node: NodeIndex): void;
}

/** What was found, as a list. */
export function FoundPaths({ tree, reveal, matches: { text, asked } }: FoundProps) {
  if (text === "") return null;
  if (asked.fault) return <FaultNote fault={asked.fault} again={asked.again} />;
  const found = asked.answer ?? [];
  const columns: Column<Found[number]>[] = [
    {
      name: "Path",
      value: ({ node, path }) => (
        <button type="button" class="plain" onClick={() => reveal(node)}>
          /{visible(path)}
        </button>
      ),
      sort: ({ path }) => path,
    },
    numeric("Bytes", ({ node }) => tree.bytes[node] ?? 0, bytes),
  ];
  return (
    <div class="tree-found">
      <p role="status">{said(asked.answer?.length)}</p>
      {found.length > 0 && (
        <details open>
          <summary>Matches</summary>
          <DataTable caption={`Paths that contain “${visible(text)}”`} hideCaption page={LISTED} rows={found} columns={columns} />
        </details>
      )}
    </div>
  );
}

function said(found: number | undefined): string {
  if (found === undefined) return "Searching…";
  if (found === 0) return "No path contains that.";
  const some = found >= LIMIT ? `The first ${count(LIMIT)} matches` : counted(found, "match", "matches");
  return `${some}, outlined in the picture; Enter goes to the first.`;
}
