// What a layer holds: by its TOC, else by reading all of it.

import type { ByteRange, Known, KnownLayer } from "@shingle/core";
import type { Bytes } from "../bytes";
import { core, freedIfFails, freeing, LOOKING } from "../core";
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
interface Read {
  known: Known;
  by: "toc" | "whole";
}

/** Reads as little of a layer as tells what is in it. Throws if somebody lies. */
export async function readLayer(layer: FoundLayer, reading: Reading): Promise<Read> {
  const looked = core.look(saidOf(layer), LOOKING);
  if (looked.tag === "whole") return readWhole(layer, looked.val.message, reading);
  let fetch;
  if (looked.tag === "tail") {
    const instead = await fill(looked.val, layer.source, reading);
    if (instead) return readWhole(layer, NO_RANGES, reading, instead.all);
    const found = looked.val.finish();
    if (found.tag === "elsewhere") {
      found.val.free();
      return readWhole(layer, "its table of contents should be in another image", reading);
    }
    if (found.tag === "whole") return readWhole(layer, found.val.message, reading);
    fetch = found.val;
  } else {
    fetch = looked.val;
  }
  const instead = await fill(fetch, layer.source, reading);
  if (instead) return readWhole(layer, NO_RANGES, reading, instead.all);
  const opened = fetch.finish();
  if (opened.tag === "whole") return readWhole(layer, opened.val.message, reading);
  const { bytes, requests } = reading.spent;
  return freeing(opened.val, (basis) => ({
    known: core.Known.fromBasis(basis, knownLayer(layer), bytes, requests),
    by: "toc",
  }));
}

/** The command's words for it. */
const NO_RANGES = "the registry does not serve ranges of this blob";

/** Reads a layer front to back because of `found`, from an answer that came already where there is one. */
async function readWhole(layer: FoundLayer, found: string, reading: Reading, came?: Answer): Promise<Read> {
  const { why, bytes, requests } = asPulled(layer, found, {
    bytes: reading.spent.bytes,
    // The answer is to the request that is for all of it.
    requests: reading.spent.requests - (came ? 1 : 0),
  });
  reading.expects(layer.blobLen, true);
  if (layer.readWhole) {
    const known = await layer.readWhole(reading, why);
    reading.received(layer.blobLen);
    // The command finds TOCs that are in other images: such a layer is not proven by its DiffID.
    const whole = known.trust() === "diff-id";
    reading.spent.bytes += whole ? layer.blobLen : known.tocBytes();
    reading.spent.requests += whole ? 1 : known.tocRequests();
    return { known, by: whole ? "whole" : "toc" };
  }
  const fetch = new core.WholeFetch(false);
  await freedIfFails(fetch, async () => {
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
  });
  return freeing(fetch.finish(layer.blob, layer.diffId).verified, (verified) => ({
    known: core.Known.fromVerified(verified, knownLayer(layer), why, bytes, requests),
    by: "whole",
  }));
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
    if (!answer) throw failure("other", `the blob broke off after ${at} of ${blobLen} bytes, and no range of it is served`);
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

/** Why a pull takes a layer whole, and what it reads before that. It wants more of a TOC than is wanted here: where none of
    the kind is enough, it reads nothing. */
function asPulled(layer: FoundLayer, why: string, spent: Spent): Spent & { why: string } {
  const looked = core.look(saidOf(layer));
  if (looked.tag === "whole") return { why: looked.val.message, bytes: 0, requests: 0 };
  looked.val.free();
  return { why, ...spent };
}

function saidOf({ mediaType, blobLen, annotations }: FoundLayer) {
  return { mediaType, size: blobLen, annotations };
}

function knownLayer({ blob, blobLen, diffId, mediaType }: FoundLayer): KnownLayer {
  return { blob, blobLen, diffId, mediaType };
}

/** What wants bytes of a blob: the end, or the TOC. */
interface Wanting {
  free(): void;
  remaining(): ByteRange;
  receive(bytes: Uint8Array): void;
}

/** Answers that may end early before a layer is given up. */
const MOST_ANSWERS = 16;

/** Brings what is wanted. Where no range is served, frees `wanting`, and returns the whole blob if that came, unread. */
async function fill(wanting: Wanting, source: Source, reading: Reading): Promise<{ all: Answer | undefined } | undefined> {
  const instead = await freedIfFails(wanting, () => bring(wanting, source, reading));
  if (instead) wanting.free();
  return instead;
}

async function bring(wanting: Wanting, source: Source, reading: Reading): Promise<{ all: Answer | undefined } | undefined> {
  const all = wanting.remaining();
  // The helper sends no more than so much at once.
  const most = MOST_ANSWERS + Math.ceil((all.end - all.start) / HELPER_RANGE);
  reading.expects(all.end - all.start, false);
  for (let asked = 0; asked < most; asked += 1) {
    const owed = wanting.remaining();
    if (owed.start >= owed.end) return undefined;
    reading.spent.requests += 1;
    const answer = await source.open(owed, reading.signal);
    if (!answer || answer.whole) return { all: answer };
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
