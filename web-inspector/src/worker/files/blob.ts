// A layer's blob without an image around it.

import { piecesOf } from "../bytes";
import { core } from "../core";
import { because } from "../fault";
import type { FoundImage } from "../image/found";
import { ofFile } from "../source";
import type { Task } from "../task";
import { Feeder } from "../unfold";
import { ownAnnotations } from "./footer";
import type { Form } from "./magic";

const SUFFIXES: Record<Exclude<Form, "other">, string> = { gzip: "+gzip", zstd: "+zstd", tar: "" };

/** Makes an image of one layer. Nobody says which digests it has, so all of it is read for them. */
export async function blobImage(file: Blob, name: string, form: Exclude<Form, "other">, task: Task): Promise<FoundImage> {
  const { verified, blob } = await readUnnamed(file, name, task);
  const diffId = verified.digest();
  const mediaType = `application/vnd.oci.image.layer.v1.tar${SUFFIXES[form]}`;
  const annotations = form === "tar" ? {} : await ownAnnotations(file, task.signal);
  const said = { blob, blobLen: file.size, diffId, mediaType };
  const layer = {
    ...said,
    annotations,
    source: ofFile(file),
    readWhole: (_task: Task, why: string) => {
      const known = core.Known.fromVerified(verified, said, why, 0, 0);
      verified.free();
      return Promise.resolve(known);
    },
  };
  return { name, origin: { from: "file", name }, digest: undefined, platform: undefined, layers: [layer] };
}

async function readUnnamed(file: Blob, name: string, task: Task) {
  const fetch = new core.WholeFetch(false);
  const feeder = new Feeder(task.signal, (bytes) => fetch.index(bytes));
  let done = 0;
  try {
    for await (const piece of piecesOf(file.stream(), task.signal)) {
      await feeder.feed(piece);
      done += piece.length;
      task.progress({ what: `Reading ${name}`, done, total: file.size, unit: "bytes" });
    }
    return fetch.finishUnnamed();
  } catch (error) {
    throw because(`${name} cannot be read as a layer.`, error);
  }
}
