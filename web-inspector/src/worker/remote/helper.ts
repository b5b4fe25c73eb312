// The command that serves the page: `shingle inspect --web`.

import type { ByteRange, Known } from "@shingle/core";
import { piecesOf } from "../bytes";
import { core } from "../core";
import { failure, type Failure } from "../fault";
import { readExported } from "../files/exported";
import { gunzip } from "../files/unpack";
import type { FoundImage, FoundLayer } from "../image/found";
import { annotations, digest, isObject, list, readJson, size, text } from "../json";
import { HELPER_RANGE, IMAGES, LAYERS, MANIFEST_BYTES } from "../limits";
import type { Answer, Source } from "../source";
import type { Task } from "../task";
import { ask, bodyOf, refused, replyOf, StatusError } from "./http";

/** What the command was asked to show. */
export async function askHelper(page: string, { signal }: Task): Promise<{ version: string; refs: string[] }> {
  const response = await get(page, "session", {}, signal);
  const json = readJson(await bodyOf(response, MANIFEST_BYTES, "the session", signal), "the session");
  return { version: text(json.version), refs: list(json.refs, "the list of references", IMAGES).map(text) };
}

/** Finds an image that the command was asked to show. */
export async function helperImage(page: string, ref: string, { signal }: Task): Promise<FoundImage> {
  const response = await get(page, "image", { ref }, signal);
  const json = readJson(await bodyOf(response, 4 * MANIFEST_BYTES, "the image", signal), "the image");
  const layers = list(json.layers, "the list of layers", LAYERS).map((value, index): FoundLayer => {
    const what = `layer ${index + 1}`;
    if (!isObject(value)) throw failure("input", `${what} is not an object`);
    const [blob, diffId] = [digest(value.blob, what), digest(value.diffId, what)];
    const blobLen = size(value.size, `the size of ${what}`);
    return {
      blob,
      diffId,
      mediaType: text(value.mediaType),
      blobLen,
      annotations: annotations(value.annotations),
      source: source(page, ref, blob, blobLen),
      readWhole: (task) => readWhole(page, ref, index, { blob, diffId }, task),
    };
  });
  return {
    name: ref,
    origin: { from: "helper", ref },
    digest: text(json.digest) || undefined,
    platform: text(json.platform) || undefined,
    layers,
  };
}

/** What the command answers where the registry serves no ranges of a blob. */
const NO_RANGES = 501;

function source(page: string, ref: string, blob: string, length: number): Source {
  const open = async (range: ByteRange, signal: AbortSignal): Promise<Answer | undefined> => {
    // The rest is asked for when this has come.
    const part = { start: range.start, end: Math.min(range.end, range.start + HELPER_RANGE) };
    const response = await request(page, "blob", { ref, digest: blob }, { range: core.rangeHeader(part) }, signal).catch(
      (error: unknown) => {
        if (error instanceof StatusError && error.status === NO_RANGES) return undefined;
        throw explained(error);
      },
    );
    if (!response) return undefined;
    const verdict = core.accept(replyOf(response), part, length);
    if (verdict.tag === "refused" || !response.body) {
      await response.body?.cancel();
      throw failure("other", verdict.tag === "refused" ? verdict.val.message : "the command's answer has no body");
    }
    // All of a short blob may be what was asked for.
    return { start: verdict.tag === "whole" ? 0 : verdict.val.start, whole: false, pieces: piecesOf(response.body, signal) };
  };
  return { open: (range, signal) => open(range ?? { start: 0, end: length }, signal) };
}

/** Has the command read a layer whole, and takes what it knows then. */
async function readWhole(
  page: string,
  ref: string,
  layer: number,
  { blob, diffId }: Pick<FoundLayer, "blob" | "diffId">,
  task: Task,
): Promise<Known> {
  const response = await get(page, "toc", { ref, layer: String(layer) }, task.signal);
  const packed = await response.blob();
  const quiet: Task = { signal: task.signal, progress: () => undefined };
  const [image] = await readExported(gunzip(packed, task.signal), { from: "helper", ref }, "the command's answer", quiet);
  const known: Known | undefined = image?.layers[0]?.known;
  if (!known) throw failure("other", "the command's answer holds no layer");
  if (known.blob() !== blob || known.diffId() !== diffId) {
    known.free();
    throw failure("lie", "the command's answer is about another layer");
  }
  return known;
}

async function get(page: string, what: string, query: Record<string, string>, signal: AbortSignal): Promise<Response> {
  return request(page, what, query, {}, signal).catch((error: unknown) => {
    throw explained(error);
  });
}

function explained(error: unknown): unknown {
  return refused("The command that serves this page could not do it.", error);
}

/** Asks once: the command asks the registry again by itself. */
function request(
  page: string,
  what: string,
  query: Record<string, string>,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  const url = new URL(`api/${what}`, page);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  return ask(url.href, { headers, signal }, unreachable, 1);
}

function unreachable(): Failure {
  return failure("other", "The command that serves this page does not answer.", {
    hint: "It ends with Ctrl-C or when its terminal is closed. Start shingle inspect --web again, and open the address that it prints.",
  });
}
