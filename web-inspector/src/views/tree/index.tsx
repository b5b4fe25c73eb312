// One image's tree: what of it other images have, down to each file.

import { useMemo, useRef } from "preact/hooks";

import { bytes, percent, visible } from "../../format";
import { Await, useAsked } from "../../parts/asked";
import { Legend } from "../../parts/bar";
import { RouteLink } from "../../parts/link";
import { STATES } from "../../parts/looks";
import { PARTS } from "../../parts/nodes";
import { nameOf } from "../../parts/picks";
import { needle, SearchBox } from "../../parts/search";
import type { NodeIndex, TreeArrays } from "../../protocol";
import type { ViewProps } from "../view";
import { Children } from "./children";
import { Choices } from "./choices";
import { Crumbs } from "./crumbs";
import { Duplicates } from "./duplicates";
import { TreeExport } from "./export";
import { ROOT, Tree } from "./model";
import { Picture } from "./picture";
import { Scene } from "./scene";
import { FoundPaths, type Matches, useMatches } from "./search";
import { pathOf } from "./words";
import "./tree.css";

export function TreeView(props: ViewProps) {
  const { images, route, go, call } = props;
  const { image, measure } = route;
  const asked = useAsked(call, "tree", { image, measure }, [images, image, measure]);
  const matches = useMatches(call, images, image, needle(route.search));
  const first = matches.asked.answer?.[0];
  return (
    <section class="tree-view" aria-labelledby="tree-title">
      <h2 id="tree-title">Tree</h2>
      {/* Outside of what waits: who chose keeps the focus. */}
      <div class="row">
        <Choices {...props} />
        <SearchBox
          value={route.search}
          onSearch={(search) => go({ search }, "replace")}
          onEnter={(text) => needle(text) === matches.text && first && go({ path: first.path })}
        />
      </div>
      <Await asked={asked} what="Summing up the tree">
        {(arrays) => <Shown {...props} arrays={arrays} matches={matches} />}
      </Await>
    </section>
  );
}

/** What the parts of the view are given. */
export interface TreeProps extends ViewProps {
  tree: Tree;
  /** The directory that is the whole picture. */
  root: NodeIndex;
  /** Shows a path: a directory as the whole picture, a file selected in its directory. */
  reveal(node: NodeIndex): void;
}

function Shown(props: ViewProps & { arrays: TreeArrays; matches: Matches }) {
  const { images, arrays, matches, route, go } = props;
  const tree = useMemo(() => new Tree(arrays), [arrays]);
  const found = useMemo(() => tree.find(route.path), [tree, route.path]);
  const selected = found ?? ROOT;
  // A file that was picked in the picture must not turn the picture into its directory's.
  const kept = useRef<{ path: string; tree: Tree; root: NodeIndex }>(undefined);
  const keeps = kept.current?.path === route.path && kept.current.tree === tree;
  const own = tree.isDirectory(selected) ? selected : tree.parent(selected);
  const root = keeps ? (kept.current?.root ?? own) : own;
  const scene = useMemo(() => new Scene(), []);

  const reveal = (node: NodeIndex) => go({ path: tree.path(node) });
  const pick = (file: NodeIndex) => {
    const path = tree.path(file);
    kept.current = { path, tree, root };
    go({ path });
  };
  const below: TreeProps = { ...props, tree, root, reveal };
  const name = nameOf(images, route.image);
  const wanted = { tree, root, picture: route.picture, colouring: route.colour, matches: matches.nodes };
  return (
    <>
      {found === undefined && (
        <p role="status">
          {name} has no path /{visible(route.path)}; this is its root.
        </p>
      )}
      <Unlocated unlocated={arrays.unlocated} go={go} />
      <FoundPaths tree={tree} matches={matches} reveal={reveal} />
      <Crumbs tree={tree} root={root} name={name} reveal={reveal}>
        <TreeExport {...below} wanted={wanted} scene={scene} />
      </Crumbs>
      <Picture
        {...wanted}
        scene={scene}
        label={`${route.picture === "icicle" ? "Icicle" : "Treemap"} of ${name}, ${pathOf(tree, root)}, ${bytes(tree.bytes[root] ?? 0)}. Arrow keys move, Enter opens, Backspace goes up.`}
        selected={selected}
        onZoom={reveal}
        onPick={pick}
        onOpen={(file) => go({ view: "file", path: tree.path(file) })}
      />
      <Keys tree={tree} root={root} />
      <p class="hint">
        A click or <kbd>Enter</kbd> opens a directory, <kbd>Backspace</kbd> goes up, arrow keys move; a wheel does both while the
        picture has the focus.
      </p>
      {selected !== root && (
        <p class="tree-selected">
          Selected: {pathOf(tree, selected)}, {bytes(tree.bytes[selected] ?? 0)}.{" "}
          <RouteLink to={{ view: "file", path: tree.path(selected) }} at={props}>
            All about this file
          </RouteLink>
        </p>
      )}
      <Children {...below} />
      <Duplicates {...below} />
    </>
  );
}

/** What colours and patterns mean, and what each comes to in the picture. */
function Keys({ tree, root }: { tree: Tree; root: NodeIndex }) {
  const all = tree.bytes[root] ?? 0;
  const parts = PARTS.map((part) => ({ ...STATES[part], value: tree.arrays[part][root] ?? 0 }));
  return <Legend parts={parts} format={(value) => `${bytes(value)}, ${percent(value, all)}`} />;
}

/** Says what is not in the picture. */
function Unlocated({ unlocated, go }: Pick<ViewProps, "go"> & { unlocated: number }) {
  if (unlocated === 0) return null;
  return (
    <p role="note">
      {bytes(unlocated)} of this image’s files are not in the picture: their layers were read whole, so nobody knows what they
      take compressed.{" "}
      <button type="button" onClick={() => go({ measure: "logical" })}>
        Show them uncompressed
      </button>
    </p>
  );
}
