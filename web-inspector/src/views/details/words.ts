// Metadata in words.

import type { Kind, NodeDetails, Timestamp } from "@shingle/core";

import { count } from "../../format";

const LETTERS: Record<Kind, string> = {
  block: "b",
  char: "c",
  directory: "d",
  fifo: "p",
  hardlink: "-",
  regular: "-",
  symlink: "l",
};

/** `drwxr-xr-x`, as `ls` writes it. */
export function permissions(kind: Kind, mode: number): string {
  const three = (bits: number, special: boolean, letter: string) => {
    const execute = (bits & 1) !== 0;
    const last = special ? (execute ? letter : letter.toUpperCase()) : execute ? "x" : "-";
    return `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${last}`;
  };
  return (
    LETTERS[kind] +
    three((mode >> 6) & 7, (mode & 0o4000) !== 0, "s") +
    three((mode >> 3) & 7, (mode & 0o2000) !== 0, "s") +
    three(mode & 7, (mode & 0o1000) !== 0, "t")
  );
}

/** `0755`. */
export function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

/** `2026-01-31 12:00:00.5 UTC`. */
export function time({ seconds, nanoseconds }: Timestamp): string {
  const date = new Date(seconds * 1000);
  // Years that no calendar of the browser has.
  if (Number.isNaN(date.getTime())) return `${count(seconds)} s after 1970`;
  const fraction = nanoseconds === 0 ? "" : `.${String(nanoseconds).padStart(9, "0").replace(/0+$/, "")}`;
  return `${date.toISOString().replace("T", " ").replace(/\.000Z$/, "")}${fraction} UTC`;
}

/**
 * The path in the image that a link leads to. A symbolic link's text is relative to where the link is, a hard link's to the
 * root.
 */
export function target(kind: Kind, path: string, link: string): string {
  const parts = kind !== "symlink" || link.startsWith("/") ? [] : path.split("/").slice(0, -1);
  for (const part of link.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** What other images have of it. */
export function standing({ state, again }: NodeDetails, others: number): string | undefined {
  const link = again ? " It is one more name of a file that comes earlier in the tree." : "";
  switch (state) {
    case "shared":
      return `Shared: another image has this file, byte for byte.${link}`;
    case "partly":
      return `Partly shared: no other image has this file, but some of its chunks.${link}`;
    case "unique":
      return `${others > 0 ? "Unique: no other image has anything of it." : "There is no other image to share it."}${link}`;
    case "wasted":
      return "Wasted: an upper layer replaces or removes it. A pull takes it, and no name leads to it.";
    case undefined:
      return undefined;
  }
}
