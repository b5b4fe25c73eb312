// The way from the root to what the picture shows.

import type { ComponentChildren } from "preact";

import type { NodeIndex } from "../../protocol";
import { ROOT, type Tree } from "./model";

interface CrumbsProps {
  tree: Tree;
  root: NodeIndex;
  /** The image's. */
  name: string;
  reveal(node: NodeIndex): void;
  /** Shown at the end of the line. */
  children: ComponentChildren;
}

/** So many directories are buttons; of a deeper path those in the middle are left out. */
const MOST = 12;

export function Crumbs({ tree, root, name, reveal, children }: CrumbsProps) {
  const line = tree.line(root);
  const shown = line.length <= MOST ? line : [...line.slice(0, 2), ...line.slice(2 - MOST)];
  return (
    <div class="crumbs">
      <nav aria-label="Directory">
        <ol>
          {shown.map((node, at) => (
            <li key={node}>
              {at === 2 && shown.length < line.length && <span>… / </span>}
              {node === root ? (
                <b aria-current="location">{node === ROOT ? name : tree.label(node)}</b>
              ) : (
                <button type="button" class="plain" onClick={() => reveal(node)}>
                  {node === ROOT ? name : tree.label(node)}
                </button>
              )}
            </li>
          ))}
        </ol>
      </nav>
      <div class="crumbs-more">
        {/* Not `disabled`: whoever pressed it keeps the focus. */}
        <button type="button" aria-disabled={root === ROOT} onClick={() => root !== ROOT && reveal(tree.parent(root))}>
          Up
        </button>
        {children}
      </div>
    </div>
  );
}
