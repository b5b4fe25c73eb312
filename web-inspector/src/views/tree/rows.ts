// Every path of a tree with its figures, one after the other. No DOM.

import type { NodeIndex } from "../../protocol";
import { ROOT, type Tree } from "./model";

export interface Row {
  path: string;
  kind: string;
  /** Whether only lower layers have it. */
  removed: boolean;
  files: number;
  bytes: number;
  shared: number;
  partly: number;
  partlyShared: number;
  unique: number;
  wasted: number;
}

export function* rows(tree: Tree): Iterable<Row> {
  const { files, shared, partly, partlyShared, unique, wasted } = tree.arrays;
  // The directories that the walk is in.
  const within: { end: NodeIndex; path: string }[] = [];
  for (let node = ROOT; node < tree.length; node += 1) {
    while (within.length > 0 && node >= within[within.length - 1]!.end) within.pop();
    const above = within[within.length - 1]?.path ?? "";
    const path = node === ROOT ? "" : `${above}/${tree.label(node)}`;
    if (tree.isDirectory(node)) within.push({ end: tree.end(node), path });
    yield {
      path: path || "/",
      kind: tree.kind(node),
      removed: tree.isGone(node),
      files: files[node]!,
      bytes: tree.bytes[node]!,
      shared: shared[node]!,
      partly: partly[node]!,
      partlyShared: partlyShared[node]!,
      unique: unique[node]!,
      wasted: wasted[node]!,
    };
  }
}
