// Exported files: what is known of layers, without the layers. `shingle inspect --export` and the page write them.

import type { Origin } from "../../protocol";
import { joined, type Bytes } from "../bytes";
import { core } from "../core";
import { because, failure } from "../fault";
import { isObject, list, readJson, size, text } from "../json";
import { EXPORTED_BYTES, EXPORTED_LINE, EXPORTED_LINES, IMAGES, LAYERS } from "../limits";
import { freeLayers, type Session, type SessionImage, type SessionLayer } from "../session";
import { Pauses, type Task } from "../task";

const FORMAT = "shingle-tocs";
const NEWLINE = 0x0a;

/** Whether decompressed bytes begin as an exported file does. */
export function isExported(head: Uint8Array): boolean {
  return new TextDecoder().decode(head).startsWith(`{"format":"${FORMAT}"`);
}

/** An image as the first line lists it. */
interface Listed {
  name: string;
  digest: string | undefined;
  platform: string | undefined;
  /** Numbers of lines. */
  layers: number[];
}

/** Reads the images of an exported file, of which `pieces` are the decompressed bytes. */
export async function readExported(
  pieces: AsyncIterable<Bytes>,
  origin: Origin,
  name: string,
  task: Task,
): Promise<SessionImage[]> {
  const layers: SessionLayer[] = [];
  let listed: Listed[] | undefined;
  try {
    for await (const line of lines(pieces, name)) {
      if (listed) {
        layers.push({ known: core.Known.fromExported(line), read: "exported" });
        task.progress({ what: `Reading ${name}`, done: layers.length, total: 0, unit: "layers" });
      } else {
        listed = readFirst(line, name);
      }
    }
    if (!listed) throw failure("input", `${name} is empty`);
    const images = listed.map((image) => ({
      info: { name: image.name, origin, digest: image.digest, platform: image.platform, readBytes: 0, requests: 0 },
      layers: image.layers.map((number) => {
        const layer = layers[number - 1];
        if (!layer) throw failure("input", `${name} has no layer ${number}, which ${image.name} names`);
        return layer;
      }),
    }));
    freeLayers([{ layers }], images);
    return images;
  } catch (error) {
    freeLayers([{ layers }]);
    throw because(`${name} cannot be read.`, error);
  }
}

function readFirst(line: Uint8Array, name: string): Listed[] {
  const json = readJson(line, `the first line of ${name}`);
  if (json.format !== FORMAT) throw failure("input", `${name} is not an exported file`);
  if (json.version !== 1) {
    throw failure("input", `${name} has version ${JSON.stringify(json.version)}, this page reads version 1`, {
      hint: "Use a page of the version that wrote it.",
    });
  }
  const images = list(json.images, `the list of images in ${name}`, IMAGES);
  if (images.length === 0) throw failure("input", `${name} holds no image`);
  return images.map((image) => {
    if (!isObject(image)) throw failure("input", `an image in ${name} is not an object`);
    return {
      name: text(image.name),
      digest: text(image.digest) || undefined,
      platform: text(image.platform) || undefined,
      layers: list(image.layers, `the list of layers in ${name}`, LAYERS).map((number) => size(number, "a layer's number")),
    };
  });
}

async function* lines(pieces: AsyncIterable<Bytes>, name: string): AsyncGenerator<Bytes> {
  let parts: Uint8Array[] = [];
  let [length, all, count] = [0, 0, 0];
  const take = () => {
    count += 1;
    if (count > EXPORTED_LINES + 1) throw failure("limit", `${name} has more than ${EXPORTED_LINES} layers`);
    const line = joined(parts, length);
    [parts, length] = [[], 0];
    return line;
  };
  for await (const piece of pieces) {
    all += piece.length;
    if (all > EXPORTED_BYTES) throw failure("limit", `${name} is longer than ${EXPORTED_BYTES} bytes`);
    let at = 0;
    for (;;) {
      const end = piece.indexOf(NEWLINE, at);
      const part = piece.subarray(at, end < 0 ? undefined : end);
      parts.push(part);
      length += part.length;
      if (length > EXPORTED_LINE) throw failure("limit", `a line of ${name} is longer than ${EXPORTED_LINE} bytes`);
      if (end < 0) break;
      yield take();
      at = end + 1;
    }
  }
  if (length > 0) yield take();
}

/** Writes all images of the session. */
export async function writeExported(session: Session, signal: AbortSignal): Promise<Bytes> {
  const numbers = new Map<SessionLayer["known"], number>();
  const images = session.images().map(({ info, layers }) => ({
    name: info.name,
    digest: info.digest ?? null,
    platform: info.platform ?? null,
    layers: layers.map(({ known }) => {
      const number = numbers.get(known) ?? numbers.size + 1;
      numbers.set(known, number);
      return number;
    }),
  }));
  const encoder = new TextEncoder();
  const newline = encoder.encode("\n");
  const first = encoder.encode(`${JSON.stringify({ format: FORMAT, version: 1, images })}\n`);
  const layers = [...numbers.keys()];
  let next = -1;
  const pauses = new Pauses(signal);
  // One line in memory at a time.
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: async (controller) => {
      await pauses.take();
      const layer = layers[next];
      if (next < 0) controller.enqueue(first);
      else if (layer) {
        const line = layer.toExported();
        controller.enqueue(line as Bytes);
        if (line.at(-1) !== NEWLINE) controller.enqueue(newline);
      } else controller.close();
      next += 1;
    },
  });
  return new Uint8Array(await new Response(source.pipeThrough(new CompressionStream("gzip"))).arrayBuffer());
}
