// A layer's blob without an image around it.

import type { VerifiedLayer } from "@shingle/core";
import { core, free, freedIfFails } from "../core";
import { because } from "../fault";
import type { FoundImage, FoundLayer } from "../image/found";
import { ofFile } from "../source";
import type { Task } from "../task";
import { Feeder } from "../unfold";
import { ownAnnotations } from "./footer";
import type { Form } from "./magic";
import { readThrough } from "./read";

const SUFFIXES: Record<Exclude<Form, "other">, string> = { gzip: "+gzip", zstd: "+zstd", tar: "" };

/** A layer that nobody named. */
interface Unnamed {
  verified: VerifiedLayer;
  blob: string;
}

/** Makes an image of one layer, which was read whole because nobody says which digests it has. */
export async function blobImage(
  file: Blob,
  name: string,
  form: Exclude<Form, "other">,
  { verified, blob }: Unnamed,
  task: Task,
): Promise<FoundImage> {
  const mediaType = `application/vnd.oci.image.layer.v1.tar${SUFFIXES[form]}`;
  const annotations = form === "tar" ? {} : await freedIfFails(verified, () => ownAnnotations(file, task.signal));
  const said = { blob, blobLen: file.size, diffId: verified.digest(), mediaType };
  const layer: FoundLayer = {
    ...said,
    annotations,
    source: ofFile(file),
    readWhole: (_task, why) => Promise.resolve(core.Known.fromVerified(verified, said, why, 0, 0)),
    free: () => free(verified),
  };
  return { name, origin: { from: "file", name }, digest: undefined, platform: undefined, layers: [layer] };
}

/** Reads a layer whole. */
export async function readUnnamed(file: Blob, name: string, task: Task): Promise<Unnamed> {
  const fetch = new core.WholeFetch(false);
  const feeder = new Feeder(task.signal, (bytes) => fetch.index(bytes));
  try {
    await freedIfFails(fetch, async () => {
      for await (const piece of readThrough(file, `Reading ${name}`, task)) await feeder.feed(piece);
    });
    return fetch.finishUnnamed();
  } catch (error) {
    throw because(`${name} cannot be read as a layer.`, error);
  }
}
