// Paths of an image from its arrays.

import { KINDS, type NodeIndex, type TreeArrays } from "../protocol";
import { pathText } from "../worker/text";

/** Kinds in words. */
export const KIND_WORDS: Record<(typeof KINDS)[number], string> = {
  block: "Block device",
  char: "Character device",
  directory: "Directory",
  fifo: "Named pipe",
  hardlink: "Hard link",
  regular: "Regular file",
  symlink: "Symbolic link",
};

/** What a path's bytes are to other images; together these are all of them. */
export const PARTS = ["shared", "partly", "unique", "wasted"] as const;

/** Names and places in an image's tree. */
export class Nodes {
  constructor(readonly arrays: TreeArrays) {}

  get length(): number {
    return this.arrays.parents.length;
  }

  /** The last part of a path. */
  name(node: NodeIndex): string {
    return pathText(this.nameBytes(node));
  }

  nameBytes(node: NodeIndex): Uint8Array {
    const { names, nameEnds } = this.arrays;
    return names.subarray(node === 0 ? 0 : nameEnds[node - 1], nameEnds[node]);
  }

  /** The whole path, as routes and calls have it; the root's is empty. */
  path(node: NodeIndex): string {
    const parts: string[] = [];
    // A parent comes before what it holds, so this ends.
    for (let at = node; at > 0 && at < this.length; at = this.arrays.parents[at] ?? 0) parts.push(this.name(at));
    return parts.reverse().join("/");
  }

  /** Writes the bytes of the whole path to the end of `room`, and returns where they begin; -1 if they do not fit. */
  pathBytes(node: NodeIndex, room: Uint8Array): number {
    const { names, nameEnds, parents } = this.arrays;
    let start = room.length;
    for (let at = node; at > 0 && at < this.length; at = parents[at] ?? 0) {
      const [from, to] = [nameEnds[at - 1] ?? 0, nameEnds[at] ?? 0];
      const slash = start < room.length ? 1 : 0;
      start -= to - from + slash;
      if (start < 0) return -1;
      room.set(names.subarray(from, to), start);
      if (slash) room[start + to - from] = 0x2f;
    }
    return start;
  }

  kind(node: NodeIndex): (typeof KINDS)[number] {
    return KINDS[this.arrays.kinds[node] ?? 5] ?? "regular";
  }

  /** The first path that is not below it. */
  end(node: NodeIndex): NodeIndex {
    return this.arrays.ends[node] ?? node + 1;
  }

  /** The path after a sibling and all below it. Never stays where it is. */
  next(sibling: NodeIndex): NodeIndex {
    return Math.max(sibling + 1, this.end(sibling));
  }

  /** What a directory holds, in the order of names. */
  children(node: NodeIndex): NodeIndex[] {
    const found: NodeIndex[] = [];
    const end = this.end(node);
    for (let child = node + 1; child < end; child = this.next(child)) found.push(child);
    return found;
  }

  /** All bytes at and below a path. */
  bytesAt(node: NodeIndex): number {
    const { shared, unique, partly, wasted } = this.arrays;
    return (shared[node] ?? 0) + (unique[node] ?? 0) + (partly[node] ?? 0) + (wasted[node] ?? 0);
  }
}
