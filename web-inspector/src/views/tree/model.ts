// An image's tree as the core gives it, and what the picture needs to know of it. No DOM.

import { visible } from "../../format";
import type { NodeIndex, TreeArrays } from "../../protocol";
import { pathBytes, pathText } from "../../worker/text";

/** The parts that a path's bytes fall into; together they are all. */
export const PARTS = ["shared", "partly", "unique", "wasted"] as const;
export type PartName = (typeof PARTS)[number];

/** The order of `TreeArrays.kinds`. */
export const KINDS = ["block device", "character device", "directory", "fifo", "hard link", "file", "symlink"] as const;
const DIRECTORY = 2;

export const ROOT: NodeIndex = 0;

/** An image's tree. Nodes are numbers: the order of a walk, directories before what they hold. */
export class Tree {
  readonly count: number;
  /** All bytes at and below each path. */
  readonly bytes: Float64Array;
  readonly #sorted = new Map<NodeIndex, Uint32Array>();
  readonly #names = new Map<NodeIndex, string>();

  constructor(readonly arrays: TreeArrays) {
    const { shared, partly, unique, wasted, parents } = arrays;
    this.count = parents.length;
    this.bytes = new Float64Array(this.count);
    for (let node = 0; node < this.count; node += 1) {
      this.bytes[node] = shared[node]! + partly[node]! + unique[node]! + wasted[node]!;
    }
  }

  isDirectory(node: NodeIndex): boolean {
    return this.arrays.kinds[node] === DIRECTORY || this.end(node) > node + 1;
  }

  /** Whether only lower layers have it. */
  isGone(node: NodeIndex): boolean {
    return this.arrays.gone[node] === 1;
  }

  parent(node: NodeIndex): NodeIndex {
    return this.arrays.parents[node] ?? ROOT;
  }

  /** The first path that is not below it. */
  end(node: NodeIndex): NodeIndex {
    return this.arrays.ends[node] ?? node + 1;
  }

  /** The path after a sibling and all below it. Never stays where it is. */
  next(sibling: NodeIndex): NodeIndex {
    return Math.max(sibling + 1, this.end(sibling));
  }

  holds(directory: NodeIndex, node: NodeIndex): boolean {
    return node >= directory && node < this.end(directory);
  }

  /** What a directory holds, the largest first. */
  children(directory: NodeIndex): Uint32Array {
    let found = this.#sorted.get(directory);
    if (!found) {
      const list: NodeIndex[] = [];
      for (let child = directory + 1; child < this.end(directory); child = this.next(child)) list.push(child);
      found = this.sort(Uint32Array.from(list));
      this.#sorted.set(directory, found);
    }
    return found;
  }

  /** Sorts nodes in the order of the walk in place: the largest first, equal ones stay as they are. */
  sort(nodes: Uint32Array): Uint32Array {
    const { bytes } = this;
    const many = nodes.length;
    const keys = new Float64Array(many);
    let most = 0;
    for (let at = 0; at < many; at += 1) most = Math.max(most, bytes[nodes[at]!]!);
    if (!((most + 1) * many < Number.MAX_SAFE_INTEGER)) return nodes.sort((a, b) => bytes[b]! - bytes[a]! || a - b);
    // Size and place in one number: sorting numbers is ten times as fast as asking for the order of two nodes.
    for (let at = 0; at < many; at += 1) keys[at] = (most - bytes[nodes[at]!]!) * many + at;
    keys.sort();
    const sorted = keys.map((key) => nodes[key % many]!);
    nodes.set(sorted);
    return nodes;
  }

  /** The directories that lead to a path, from the root, and the path itself. */
  line(node: NodeIndex): NodeIndex[] {
    const line = [node];
    for (let at = node; at !== ROOT; ) {
      const parent = this.parent(at);
      // Directories come before what they hold; anything else would go round for ever.
      at = parent < at ? parent : ROOT;
      line.push(at);
    }
    return line.reverse();
  }

  /** The last part of a path as it is shown; empty for the root. */
  name(node: NodeIndex): string {
    let found = this.#names.get(node);
    if (found === undefined) {
      found = visible(pathText(this.rawName(node)));
      if (this.#names.size > 20_000) this.#names.clear();
      this.#names.set(node, found);
    }
    return found;
  }

  rawName(node: NodeIndex): Uint8Array {
    const { names, nameEnds } = this.arrays;
    return names.subarray(node === 0 ? 0 : nameEnds[node - 1], nameEnds[node]);
  }

  /** A whole path as routes and calls have it; the root's is empty. */
  path(node: NodeIndex): string {
    return this.line(node)
      .slice(1)
      .map((part) => pathText(this.rawName(part)))
      .join("/");
  }

  /** The node of a path as `path` gives it. */
  find(path: string): NodeIndex | undefined {
    let at: NodeIndex = ROOT;
    for (const part of path.split("/")) {
      if (part === "") continue;
      const found = this.#child(at, part);
      if (found === undefined) return undefined;
      at = found;
    }
    return at;
  }

  #child(directory: NodeIndex, part: string): NodeIndex | undefined {
    const wanted = pathBytes(part);
    const end = this.end(directory);
    for (let child = directory + 1; child < end; child = this.next(child)) {
      if (same(this.rawName(child), wanted)) return child;
    }
    return undefined;
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}
