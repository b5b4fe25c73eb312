// Files by name: a folder that was chosen, or a tar.

import { failure } from "../fault";
import { clean, members, windows, type Member } from "./tar";

/** Files by path. */
export interface Folder {
  /** What it is called. */
  readonly name: string;
  /** A file's bytes; `undefined` where there is none. */
  find(path: string): Blob | undefined;
  paths(): Iterable<string>;
}

/** Files as the browser gives them. */
export function ofFiles(name: string, files: Map<string, Blob>): Folder {
  return { name, find: (path) => files.get(path), paths: () => files.keys() };
}

/** A part of a folder. */
export function below(folder: Folder, root: string, name: string): Folder {
  if (root === "") return { name, find: (path) => folder.find(path), paths: () => folder.paths() };
  const prefix = `${root}/`;
  return {
    name,
    find: (path) => folder.find(prefix + path),
    paths: () => [...folder.paths()].filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length)),
  };
}

/** The folders that hold a file of this name, as paths. */
export function rootsOf(folder: Folder, file: string): string[] {
  const roots: string[] = [];
  for (const path of folder.paths()) {
    if (path === file) roots.push("");
    else if (path.endsWith(`/${file}`)) roots.push(path.slice(0, -file.length - 1));
  }
  return roots.sort();
}

/** Links to links to links: Linux gives up after 40. */
const MOST_LINKS = 40;

/** Reads the headers of a tar. */
export async function ofTar(name: string, tar: Blob, signal: AbortSignal): Promise<Folder> {
  const found = new Map<string, Member | "twice">();
  for await (const member of members(windows(tar), signal)) {
    if (member.kind === "other") continue;
    const path = clean(member.name);
    if (path) found.set(path, found.has(path) ? "twice" : member);
  }
  const find = (path: string): Blob | undefined => {
    let at: string | undefined = clean(path);
    for (let links = 0; links < MOST_LINKS && at !== undefined; links += 1) {
      const member = found.get(at);
      // Which one counts would depend on the reader.
      if (member === "twice") throw failure("lie", `${name} holds ${at} twice`);
      if (member === undefined) return undefined;
      if (member.kind === "file") return tar.slice(member.start, member.start + member.size);
      at = clean(member.target);
    }
    return undefined;
  };
  return { name, find, paths: () => found.keys() };
}
