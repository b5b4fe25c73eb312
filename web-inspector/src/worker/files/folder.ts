// Files by name: a folder that was chosen, or a tar.

import { failure } from "../fault";
import { clean, members, windows } from "./tar";

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
  const held = new Held(name);
  for await (const member of members(windows(tar), signal)) {
    if (member.kind === "file") held.file(member.name, tar.slice(member.start, member.start + member.size));
    else if (member.kind === "link") held.link(member.name, member.target);
  }
  return held;
}

/** What a tar holds, as the command reads one: names that lead out of it are none. */
export class Held implements Folder {
  readonly #found = new Map<string, Blob | string>();

  constructor(readonly name: string) {}

  file(name: string, content: Blob): void {
    this.#put(name, content);
  }

  /** A link, by where it leads from the tar's root. */
  link(name: string, target: string): void {
    const path = clean(target);
    if (path !== undefined) this.#put(name, path);
  }

  find(path: string): Blob | undefined {
    let at = clean(path) ?? "";
    for (let links = 0; links < MOST_LINKS; links += 1) {
      const found = this.#found.get(at);
      if (typeof found !== "string") return found;
      // Which one counts would depend on the reader.
      if (found === TWICE) throw failure("lie", `${this.name} holds ${at} twice`);
      at = found;
    }
    return undefined;
  }

  paths(): Iterable<string> {
    return this.#found.keys();
  }

  #put(name: string, content: Blob | string): void {
    const path = clean(name);
    if (path !== undefined) this.#found.set(path, this.#found.has(path) ? TWICE : content);
  }
}

/** No clean path. */
const TWICE = "/";
