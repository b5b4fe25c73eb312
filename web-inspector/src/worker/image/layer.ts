// What a layer holds: by its TOC, else by reading all of it.

import type { ByteRange, Known, KnownLayer } from "@shingle/core";
import type { Bytes } from "../bytes";
import { core, LOOKING } from "../core";
import { failure } from "../fault";
import { HELPER_RANGE } from "../limits";
import { within, type Answer, type Source } from "../source";
import type { Task } from "../task";
import { Feeder } from "../unfold";
import type { FoundLayer } from "./found";

/** What was read of a blob. */
export interface Spent {
  bytes: number;
  requests: number;
}

/** Reading one layer. */
export interface Reading extends Task {
  /** Counts what is read. */
  spent: Spent;
  /** Hears that so many bytes are going to be read, perhaps the whole blob. */
  expects(bytes: number, whole: boolean): void;
  /** Hears of those bytes. */
  received(bytes: number): void;
}

/** How a layer became known. */
export interface Read {
  known: Known;
  by: "toc" | "whole";
}

/** Whether its manifest says that a layer has a TOC. */
export function leadsToToc({ mediaType, blobLen, annotations }: FoundLayer): boolean {
  const looked = core.look({ mediaType, size: blobLen, annotations }, LOOKING);
  if (looked.tag === "whole") return false;
  looked.val.free();
  return true;
}

/** Reads as little of a layer as tells what is in it. Throws if somebody lies. */
export async function readLayer(layer: FoundLayer, reading: Reading): Promise<Read> {
  const said = { mediaType: layer.mediaType, size: layer.blobLen, annotations: layer.annotations };
  const looked = core.look(said, LOOKING);
  if (looked.tag === "whole") return readWhole(layer, looked.val.message, reading, undefined);
  let fetch;
  if (looked.tag === "tail") {
    const tail = looked.val;
    const all = await fill(tail, layer.source, reading);
    if (all) return readWhole(layer, RANGES_IGNORED, reading, all);
    const found = tail.finish();
    if (found.tag === "elsewhere") {
      found.val.free();
      return readWhole(layer, "its TOC is a blob of another image", reading, undefined);
    }
    if (found.tag === "whole") return readWhole(layer, found.val.message, reading, undefined);
    fetch = found.val;
  } else {
    fetch = looked.val;
  }
  const all = await fill(fetch, layer.source, reading);
  if (all) return readWhole(layer, RANGES_IGNORED, reading, all);
  const opened = fetch.finish();
  if (opened.tag === "whole") return readWhole(layer, opened.val.message, reading, undefined);
  const basis = opened.val;
  const { bytes, requests } = pullReads(layer, reading.spent);
  const known = core.Known.fromBasis(basis, knownLayer(layer), bytes, requests);
  basis.free();
  return { known, by: "toc" };
}

const RANGES_IGNORED = "the registry does not serve ranges of this blob";

/** Reads a layer front to back, from an answer that came already where there is one. */
async function readWhole(layer: FoundLayer, why: string, reading: Reading, came: Answer | undefined): Promise<Read> {
  const before = pullReads(layer, came ? { bytes: 0, requests: 0 } : { ...reading.spent });
  reading.expects(layer.blobLen, true);
  if (layer.readWhole) {
    const known = await layer.readWhole(reading, why);
    reading.received(layer.blobLen);
    reading.spent.bytes += layer.blobLen;
    reading.spent.requests += 1;
    return { known, by: "whole" };
  }
  const fetch = new core.WholeFetch(false);
  const feeder = new Feeder(reading.signal, (bytes) => fetch.index(bytes));
  let length = 0;
  for await (const piece of wholeBlob(layer, reading, came)) {
    length += piece.length;
    reading.received(piece.length);
    if (length > layer.blobLen) {
      throw failure("lie", `the blob is longer than the ${layer.blobLen} bytes that the manifest says`);
    }
    await feeder.feed(piece);
  }
  const { verified } = fetch.finish(layer.blob, layer.diffId);
  const known = core.Known.fromVerified(verified, knownLayer(layer), why, before.bytes, before.requests);
  verified.free();
  return { known, by: "whole" };
}

/** All bytes of a blob; what breaks off goes on where it stopped. */
async function* wholeBlob({ blobLen, source }: FoundLayer, reading: Reading, came: Answer | undefined): AsyncGenerator<Bytes> {
  const { spent, signal } = reading;
  let at = 0;
  let answer = came;
  for (let asked = 0; asked < MOST_ANSWERS; asked += 1) {
    if (!answer) spent.requests += 1;
    // The first time without a range: there are registries that serve none.
    answer ??= await source.open(at === 0 ? undefined : { start: at, end: blobLen }, signal);
    try {
      for await (const piece of within(answer, { start: at, end: Number.MAX_SAFE_INTEGER })) {
        at += piece.length;
        spent.bytes += piece.length;
        yield piece;
      }
    } catch (error) {
      if (!isBroken(error)) throw error;
    }
    if (at >= blobLen) return;
    answer = undefined;
  }
  throw failure("other", `the blob ended after ${at} of ${blobLen} bytes, however often it was asked for`);
}

/** Whether a connection broke, by what browsers say then: nothing else here throws `TypeError`s of the network. */
function isBroken(error: unknown): boolean {
  return error instanceof TypeError;
}

/** What a pull reads before it decides: nothing where it trusts no TOC of the kind. */
function pullReads({ mediaType, blobLen, annotations }: FoundLayer, spent: Spent): Spent {
  const looked = core.look({ mediaType, size: blobLen, annotations });
  if (looked.tag === "whole") return { bytes: 0, requests: 0 };
  looked.val.free();
  return { ...spent };
}

function knownLayer({ blob, blobLen, diffId, mediaType }: FoundLayer): KnownLayer {
  return { blob, blobLen, diffId, mediaType };
}

/** What wants bytes of a blob: the end, or the TOC. */
interface Wanting {
  remaining(): ByteRange;
  receive(bytes: Uint8Array): void;
}

/** Answers that may end early before a layer is given up. */
const MOST_ANSWERS = 16;

/** Brings what is wanted. Where a whole blob comes instead, returns it unread. */
async function fill(wanting: Wanting, source: Source, reading: Reading): Promise<Answer | undefined> {
  const all = wanting.remaining();
  // The helper sends no more than so much at once.
  const most = MOST_ANSWERS + Math.ceil((all.end - all.start) / HELPER_RANGE);
  reading.expects(all.end - all.start, false);
  for (let asked = 0; asked < most; asked += 1) {
    const owed = wanting.remaining();
    if (owed.start >= owed.end) return undefined;
    reading.spent.requests += 1;
    const answer = await source.open(owed, reading.signal);
    if (answer.whole) return answer;
    try {
      for await (const piece of within(answer, owed)) {
        reading.spent.bytes += piece.length;
        reading.received(piece.length);
        wanting.receive(piece);
      }
    } catch (error) {
      if (!isBroken(error)) throw error;
    }
  }
  const { start, end } = wanting.remaining();
  if (start >= end) return undefined;
  throw failure("other", `bytes ${start} to ${end} of the blob do not come, however often they are asked for`);
}
