// What was dropped on the page, or chosen: as lists of files with paths.

import { CallError, type CallOptions } from "../client";

const FILES = 100_000;
const DEPTH = 32;

/** A file with its path below what was chosen or dropped. */
interface Found {
  path: string;
  file: File;
}

/** What is opened as one: a file, a folder, or the pieces of a layout. */
export interface Source {
  what: string;
  files(options: CallOptions & { signal: AbortSignal }): Promise<Found[]>;
}

/** Takes hold of what was dropped. The browser lets go of it when the event is over, so this must run within it. */
export function dropped(transfer: DataTransfer): Source[] {
  const grabbed = [...transfer.items].flatMap((item): (FileSystemEntry | File)[] => {
    const found = item.kind === "file" ? (item.webkitGetAsEntry() ?? item.getAsFile()) : null;
    return found ? [found] : [];
  });
  if (grabbed.some(({ name }) => isPiece(name))) {
    return [{ what: "the dropped layout", files: (options) => walk(grabbed, options) }];
  }
  return grabbed.map((one) => ({ what: one.name, files: (options) => walk([one], options) }));
}

/** What an input has; of a folder, the browser makes a flat list by itself. */
export function chosen(files: FileList): Source[] {
  const groups = new Map<string, Found[]>();
  const pieces = [...files].some(({ name, webkitRelativePath }) => !webkitRelativePath && isPiece(name));
  for (const file of files) {
    const path = file.webkitRelativePath || file.name;
    const what = pieces ? "the chosen layout" : (path.split("/")[0] ?? path);
    const group = groups.get(what);
    if (group) group.push({ path, file });
    else groups.set(what, [{ path, file }]);
  }
  return [...groups].map(([what, found]) => ({
    what,
    files: async () => {
      if (found.length > FILES) throw tooMany();
      return found;
    },
  }));
}

async function walk(
  grabbed: readonly (FileSystemEntry | File)[],
  { progress, signal }: CallOptions & { signal: AbortSignal },
): Promise<Found[]> {
  const found: Found[] = [];
  const waiting: { entry: FileSystemEntry; depth: number }[] = [];
  for (const one of grabbed) {
    if (one instanceof File) found.push({ path: one.name, file: one });
    else waiting.push({ entry: one, depth: 0 });
  }
  // It grows while it is walked.
  for (const { entry, depth } of waiting) {
    signal.throwIfAborted();
    if (entry.isDirectory) {
      if (depth >= DEPTH) throw tooMuch(`Its folders are nested more than ${DEPTH} deep.`);
      for await (const inner of list(entry as FileSystemDirectoryEntry)) {
        if (waiting.length >= FILES) throw tooMany();
        waiting.push({ entry: inner, depth: depth + 1 });
      }
    } else {
      found.push({ path: entry.fullPath.replace(/^\/+/, ""), file: await fileOf(entry as FileSystemFileEntry) });
      if (found.length % 256 === 0) {
        progress?.({ what: "Looking through the folder", done: found.length, total: 0, unit: "entries" });
      }
    }
  }
  return found;
}

async function* list(folder: FileSystemDirectoryEntry): AsyncGenerator<FileSystemEntry> {
  const reader = folder.createReader();
  // It gives some at a time, then none.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
    if (some.length === 0) return;
    yield* some;
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((done, fail) => entry.file(done, fail));
}

/** Part of a layout whose folder was not chosen itself. */
function isPiece(name: string): boolean {
  return name === "oci-layout" || name === "index.json";
}

function tooMany(): CallError {
  return tooMuch(`There are more than ${FILES.toLocaleString("en")} files in it.`);
}

function tooMuch(cause: string): CallError {
  return new CallError({
    message: "This folder is too much for the page.",
    causes: [cause],
    hint: "Choose the image layout itself: the folder with the file oci-layout in it.",
    kind: "limit",
  });
}
