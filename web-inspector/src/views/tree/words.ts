// What is said of a path, in words.

import { bytes, count, counted, percent, visible } from "../../format";
import { KIND_WORDS } from "../../parts/nodes";
import type { NodeIndex } from "../../protocol";
import type { Tree } from "./model";

/** A path as it is shown. */
export function pathOf(tree: Tree, node: NodeIndex): string {
  return `/${visible(tree.path(node))}`;
}

/** All that the tree knows of a path, as a sentence. */
export function about(tree: Tree, node: NodeIndex): string {
  const { arrays } = tree;
  const all = tree.bytes[node] ?? 0;
  const kind = tree.isDirectory(node) ? `${counted(arrays.files[node] ?? 0, "file")} with content` : KIND_WORDS[tree.kind(node)].toLowerCase();
  const gone = tree.isGone(node) ? ", removed by an upper layer" : "";
  return `${pathOf(tree, node)}: ${bytes(all)}, ${kind}${gone}. ${partsOf(tree, node)}`;
}

/** What a rectangle for many paths stands for. */
export function aboutRest(tree: Tree, directory: NodeIndex, many: number, all: number): string {
  return `${count(many)} more in ${pathOf(tree, directory)}, too small to be drawn one by one: together ${bytes(all)}. The table of the directory lists them.`;
}

function partsOf(tree: Tree, node: NodeIndex): string {
  const { shared, partly, partlyShared, unique, wasted } = tree.arrays;
  const all = tree.bytes[node] ?? 0;
  if (all === 0) return "No bytes of its own.";
  const part = (name: string, value: number, more = "") => (value > 0 ? [`${name} ${bytes(value)} (${percent(value, all)})${more}`] : []);
  const parts = [
    ...part("Shared", shared[node] ?? 0),
    ...part("Partly shared", partly[node] ?? 0, `, ${bytes(partlyShared[node] ?? 0)} of it in chunks that others have`),
    ...part("Unique", unique[node] ?? 0),
    ...part("Wasted", wasted[node] ?? 0),
  ];
  return `${parts.join("; ")}.`;
}
