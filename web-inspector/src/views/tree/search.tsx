// Finding paths by a part of them.

import { useEffect, useRef, useState } from "preact/hooks";

import type { Call } from "../../client";
import { bytes, count, counted, visible } from "../../format";
import { type Asked, FaultNote, useAsked } from "../../parts/asked";
import { DataTable } from "../../parts/table";
import type { Calls, ImageInfo } from "../../protocol";
import type { TreeProps } from "./index";

/** More matches help nobody. */
const LIMIT = 5000;
/** How long the reader pauses before what was typed is searched for. */
const PAUSE = 200;

export interface Matches {
  /** In the order of paths. */
  nodes: Uint32Array;
  asked: Asked<Calls["search"]["answer"]>;
}

const NONE = new Uint32Array();

/** The paths that contain a text. */
export function useMatches(call: Call, images: ImageInfo[], image: number, text: string): Matches {
  const ask = text.trim() === "" ? undefined : { image, text: text.trim(), limit: LIMIT };
  const asked = useAsked(call, "search", ask, [images, image, text.trim()]);
  const [nodes, setNodes] = useState<Uint32Array>(NONE);
  const { answer } = asked;
  useEffect(() => setNodes(answer ? Uint32Array.from(answer, ({ node }) => node) : NONE), [answer]);
  return { nodes: ask ? nodes : NONE, asked };
}

export function SearchPaths({ route, go, tree, reveal, matches }: TreeProps & { matches: Matches }) {
  const [typed, setTyped] = useState(route.search);
  const sent = useRef(route.search);
  useEffect(() => {
    // What was typed here comes back, perhaps when more has been typed.
    if (route.search !== sent.current) setTyped(route.search);
    sent.current = route.search;
  }, [route.search]);
  const send = () => {
    sent.current = typed;
    go({ search: typed }, "replace");
  };
  useEffect(() => {
    if (typed === route.search) return undefined;
    const timer = setTimeout(send, PAUSE);
    return () => clearTimeout(timer);
  }, [typed]);
  const { answer, fault, again } = matches.asked;
  const wanted = route.search.trim() !== "";
  const first = answer?.[0];
  return (
    <search class="tree-search">
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (typed === route.search && first) reveal(first.node);
          else send();
        }}
      >
        <label class="pick">
          <span>Search paths</span>
          <input
            type="search"
            value={typed}
            maxLength={200}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setTyped(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") setTyped("");
            }}
          />
        </label>
        <span role="status">{wanted ? said(answer?.length) : ""}</span>
      </form>
      {wanted && fault && <FaultNote fault={fault} again={again} />}
      {wanted && answer && answer.length > 0 && (
        <details open>
          <summary>Matches</summary>
          <DataTable
            caption={`Paths that contain “${visible(route.search.trim())}”`}
            page={20}
            rows={answer}
            columns={[
              {
                name: "Path",
                value: ({ node, path }) => (
                  <button type="button" class="plain" onClick={() => reveal(node)}>
                    /{visible(path)}
                  </button>
                ),
                sort: ({ path }) => path,
              },
              { name: "Bytes", value: ({ node }) => bytes(tree.bytes[node] ?? 0), sort: ({ node }) => tree.bytes[node] ?? 0, numeric: true },
            ]}
          />
        </details>
      )}
    </search>
  );
}

function said(found: number | undefined): string {
  if (found === undefined) return "Searching…";
  if (found === 0) return "No path contains that.";
  if (found >= LIMIT) return `The first ${count(LIMIT)} matches, outlined in the picture; Enter goes to the first.`;
  return `${counted(found, "match").replace(/matchs$/, "matches")}, outlined in the picture; Enter goes to the first.`;
}
