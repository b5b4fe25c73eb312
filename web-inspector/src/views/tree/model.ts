// An image's tree as the core gives it, and what the picture needs to know of it. No DOM.

import { visible } from "../../format";
import { Nodes } from "../../parts/nodes";
import type { NodeIndex, TreeArrays } from "../../protocol";
import { pathBytes } from "../../worker/text";

export const ROOT: NodeIndex = 0;

/** An image's tree. Nodes are numbers: the order of a walk, directories before what they hold. */
export class Tree extends Nodes {
  /** All bytes at and below each path. */
  readonly bytes: Float64Array;
  /** The bytes of the largest path in each directory. */
  readonly biggest: Float64Array;
  readonly #sorted = new Map<NodeIndex, Uint32Array>();
  readonly #labels = new Map<NodeIndex, string>();

  constructor(arrays: TreeArrays) {
    super(arrays);
    this.bytes = new Float64Array(this.length);
    this.biggest = new Float64Array(this.length);
    for (let node = 0; node < this.length; node += 1) {
      const bytes = this.bytesAt(node);
      const parent = this.parent(node);
      this.bytes[node] = bytes;
      if (node !== ROOT && bytes > this.biggest[parent]!) this.biggest[parent] = bytes;
    }
  }

  isDirectory(node: NodeIndex): boolean {
    return this.kind(node) === "directory" || this.end(node) > node + 1;
  }

  /** Whether only lower layers have it. */
  isGone(node: NodeIndex): boolean {
    return this.arrays.gone[node] === 1;
  }

  parent(node: NodeIndex): NodeIndex {
    return this.arrays.parents[node] ?? ROOT;
  }

  holds(directory: NodeIndex, node: NodeIndex): boolean {
    return node >= directory && node < this.end(directory);
  }

  /** What a directory holds, the largest first. */
  largest(directory: NodeIndex): Uint32Array {
    let found = this.#sorted.get(directory);
    if (!found) {
      found = this.sort(Uint32Array.from(this.children(directory)));
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
  label(node: NodeIndex): string {
    let found = this.#labels.get(node);
    if (found === undefined) {
      found = visible(this.name(node));
      if (this.#labels.size > 20_000) this.#labels.clear();
      this.#labels.set(node, found);
    }
    return found;
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
      if (same(this.nameBytes(child), wanted)) return child;
    }
    return undefined;
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}
