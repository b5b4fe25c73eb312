// Archives that are compressed.

import type { Toc, WholeFetch } from "@shingle/core";
import type { Bytes } from "../bytes";
import { core, freedIfFails, freeing } from "../core";
import { failure } from "../fault";
import { MIB, TAR_MEMBERS, UNPACKED_BYTES } from "../limits";
import type { Task } from "../task";
import { pathText } from "../text";
import { Feeder } from "../unfold";
import { Held, type Folder } from "./folder";
import { readThrough } from "./read";
import { targetOf } from "./tar";

/** Decompresses an archive. The core takes it for a layer, which is a tar as well. */
export async function ofPacked(name: string, file: Blob, task: Task): Promise<Folder> {
  const fetch = new core.WholeFetch(false);
  const contents = await freedIfFails(fetch, () => contentsOf(fetch, file, task));
  return freeing(fetch.finishUnnamed().verified, (verified) =>
    freeing(verified.toc(), (toc) => {
      if (toc.len() > TAR_MEMBERS) throw failure("limit", `it has more than ${TAR_MEMBERS} members`);
      return folderOf(name, toc, contents);
    }),
  );
}

/** Entries that are looked at at once. */
const SOME = 1000;

/** The first names of a layer. */
export function firstNames(toc: Toc): string[] {
  return toc.entries(0, SOME).map((entry) => pathText(entry.name));
}

function folderOf(name: string, toc: Toc, contents: Map<number, Blob>): Folder {
  const held = new Held(name);
  for (let first = 0; first < toc.len(); first += SOME) {
    for (const [index, entry] of toc.entries(first, SOME).entries()) {
      const path = pathText(entry.name);
      if (entry.kind === "regular") held.file(path, contents.get(first + index) ?? new Blob());
      else if (entry.kind === "hardlink" || entry.kind === "symlink") {
        held.link(path, targetOf(path, entry.kind, pathText(entry.link)));
      }
    }
  }
  return held;
}

/** Pieces this long are handed to the browser, which keeps large ones on disk. */
const PART = 8 * MIB;

/** What files hold, by their entries. */
async function contentsOf(fetch: WholeFetch, file: Blob, task: Task): Promise<Map<number, Blob>> {
  const found = new Map<number, Blob>();
  let [index, size, all] = [-1, 0, 0];
  let done: Blob[] = [];
  let parts: Bytes[] = [];
  let waiting = 0;
  const pack = () => {
    done.push(new Blob(parts));
    [parts, waiting] = [[], 0];
  };
  const feeder = new Feeder(task.signal, (bytes) => {
    for (const { tag, val } of fetch.receive(bytes)) {
      if (tag === "begin") {
        [index, size, done, parts, waiting] = [val.file, 0, [], [], 0];
      } else if (tag === "data") {
        // Of a sparse file, which no image is made of, the holes are missing.
        [size, waiting, all] = [size + val.bytes.length, waiting + val.bytes.length, all + val.bytes.length];
        if (all > UNPACKED_BYTES) {
          throw failure("limit", `it is longer than ${UNPACKED_BYTES / MIB} MiB once it is decompressed`, {
            hint: "Decompress it, and open the tar.",
          });
        }
        parts.push(val.bytes as Bytes);
        if (waiting >= PART) pack();
      } else {
        pack();
        found.set(index, new Blob(done));
      }
    }
  });
  for await (const piece of readThrough(file, "Decompressing", task)) await feeder.feed(piece);
  return found;
}
