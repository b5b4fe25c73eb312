// From images whose documents were read to images that can be shown.

import type { Opened } from "../../protocol";
import { digestOf } from "../core";
import { because, failure, type Faults } from "../fault";
import { AT_ONCE, LAYERS } from "../limits";
import type { Session, SessionImage, SessionLayer } from "../session";
import { forEach, type Task } from "../task";
import type { FoundImage, FoundLayer } from "./found";
import { readLayer, type Reading, type Spent } from "./layer";

/** Reads the layers of images, and adds these and those that are ready to the session. `faults` keeps why others are not. */
export async function openFound(
  session: Session,
  images: FoundImage[],
  ready: SessionImage[],
  faults: Faults,
  task: Task,
): Promise<Opened> {
  const layers = images.reduce((sum, image) => sum + image.layers.length, 0);
  if (layers > 10 * LAYERS) throw failure("limit", `there are ${layers} layers, at most ${10 * LAYERS} are read`);
  const opening = new Opening(session, task, layers);
  const opened: SessionImage[] = [];
  try {
    for (const image of images) {
      const done = await faults.attempt(`${image.name} cannot be opened.`, () => opening.image(image));
      if (done) opened.push(done);
    }
    const infos = session.add([...opened, ...ready]);
    opening.free(opened);
    return { images: infos, faults: faults.list() };
  } catch (error) {
    opening.free([]);
    throw error;
  } finally {
    for (const image of images) for (const layer of image.layers) layer.free?.();
  }
}

class Opening {
  readonly #session: Session;
  readonly #task: Task;
  readonly #meter: Meter;
  /** Layers that were read now. */
  readonly #fresh = new Map<string, Promise<SessionLayer>>();

  constructor(session: Session, task: Task, layers: number) {
    this.#session = session;
    this.#task = task;
    this.#meter = new Meter(task, layers);
  }

  async image(image: FoundImage): Promise<SessionImage> {
    const spent: Spent = { bytes: 0, requests: 0 };
    const { name, origin, digest, platform } = image;
    const count = image.layers.length;
    const failed = new AbortController();
    const signal = AbortSignal.any([this.#task.signal, failed.signal]);
    const layers = await forEach(image.layers, AT_ONCE, async (layer, index) => {
      try {
        return await this.#layer(layer, name, spent, signal);
      } catch (error) {
        // Whatever else is being read of the image is of no use any more.
        failed.abort();
        throw because(`Layer ${index + 1} of ${count} (${layer.blob}) cannot be read.`, error);
      }
    });
    return { info: { name, origin, digest, platform, readBytes: spent.bytes, requests: spent.requests }, layers };
  }

  /** Frees what was read for nothing: layers of none of these images. */
  free(used: SessionImage[]): void {
    const kept = new Set(used.flatMap(({ layers }) => layers));
    for (const reading of this.#fresh.values()) {
      reading.then((layer) => kept.has(layer) || layer.known.free()).catch(() => undefined);
    }
  }

  async #layer(layer: FoundLayer, name: string, spent: Spent, signal: AbortSignal): Promise<SessionLayer> {
    const said = digestOfSaid(layer);
    const found = this.#session.find(said);
    let read = found ? Promise.resolve(found) : this.#fresh.get(said);
    if (!read) {
      read = this.#read(layer, said, name, spent, signal);
      this.#fresh.set(said, read);
      // The next image may need it all the same.
      read.catch(() => signal.aborted && this.#fresh.delete(said));
    }
    const done = await read;
    this.#meter.layer(name);
    return done;
  }

  async #read(layer: FoundLayer, said: string, name: string, spent: Spent, signal: AbortSignal): Promise<SessionLayer> {
    const meter = this.#meter;
    let owed = 0;
    const reading: Reading = {
      signal,
      progress: (progress) => this.#task.progress(progress),
      spent: { bytes: 0, requests: 0 },
      expects: (bytes, whole) => {
        owed += bytes;
        meter.expects(name, bytes, whole);
      },
      received: (bytes) => {
        owed -= bytes;
        meter.received(name, bytes);
      },
    };
    const { known, by } = await readLayer(layer, reading).finally(() => meter.givesUp(owed));
    spent.bytes += reading.spent.bytes;
    spent.requests += reading.spent.requests;
    return { known, read: by, said };
  }
}

function digestOfSaid({ blob, diffId, mediaType, blobLen, annotations }: FoundLayer): string {
  const pairs = Object.entries(annotations).sort(([one], [other]) => (one < other ? -1 : 1));
  return digestOf(new TextEncoder().encode(JSON.stringify([blob, diffId, mediaType, blobLen, pairs])));
}

/** How often the page hears of progress, in milliseconds. */
const OFTEN = 100;

/** How far the opening is: in bytes while some come, else in layers. */
class Meter {
  readonly #task: Task;
  readonly #layers: number;
  #done = 0;
  #bytes = 0;
  #total = 0;
  #whole = false;
  #told = 0;

  constructor(task: Task, layers: number) {
    this.#task = task;
    this.#layers = layers;
  }

  /** A layer is known. */
  layer(name: string): void {
    this.#done += 1;
    this.#tell(name);
  }

  expects(name: string, bytes: number, whole: boolean): void {
    this.#total += bytes;
    this.#whole ||= whole;
    this.#tell(name);
  }

  /** What was expected, and does not come any more. */
  givesUp(bytes: number): void {
    this.#total -= bytes;
  }

  received(name: string, bytes: number): void {
    this.#bytes += bytes;
    if (performance.now() - this.#told >= OFTEN) this.#tell(name);
  }

  #tell(name: string): void {
    this.#told = performance.now();
    if (this.#bytes < this.#total) {
      const what = this.#whole ? `Reading layers of ${name} whole` : `Reading tables of contents of ${name}`;
      this.#task.progress({ what, done: this.#bytes, total: this.#total, unit: "bytes" });
      return;
    }
    this.#whole = false;
    this.#task.progress({ what: `Reading layers of ${name}`, done: this.#done, total: this.#layers, unit: "layers" });
  }
}
