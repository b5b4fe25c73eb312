// The frames of a layer's blob, made ready for finding one and for summing over any stretch: a blob has up to some million
// of them, and a picture asks thousands of times.

import { STRIP_STATES, type Strip } from "../../protocol";

/** How many states a frame can be in. */
export const STATES = STRIP_STATES.length;
export const [FETCHED, BRIDGED, REUSED] = [0, 1, 2];
/** No entry, no chunk. */
export const NONE = 0xffffffff;

/** Sums are kept for every so many frames, and added up between: those of a million frames take 2 MB. */
const STRIDE = 32;

/** Knows how many bytes of each state lie before an offset. */
export interface Sums {
  readonly blobBytes: number;
  /** Writes to `out`, one for each state, the bytes before `offset`. */
  upTo(offset: number, out: Float64Array): void;
}

/** How much there is of each state. */
export interface Totals {
  bytes: Float64Array;
  frames: Float64Array;
  runs: Float64Array;
}

/** A stretch of frames of one state. */
export interface Run {
  number: number;
  state: number;
  start: number;
  end: number;
  /** Its first frame, and how many. */
  first: number;
  frames: number;
}

export class Frames implements Sums {
  readonly count: number;
  readonly blobBytes: number;
  readonly totals: Totals;
  /** The first frame of each run, and behind them the number of frames. */
  private readonly runStarts: Uint32Array;
  /** Of every `STRIDE`th frame: the sums before it, and where it starts. The few are searched faster than the many. */
  private readonly sums: Float64Array;
  private readonly heads: Float64Array;

  constructor(readonly strip: Strip) {
    const { starts, ends, states } = strip;
    this.count = states.length;
    this.blobBytes = strip.blobBytes;
    this.totals = { bytes: new Float64Array(STATES), frames: new Float64Array(STATES), runs: new Float64Array(STATES) };
    this.heads = new Float64Array(Math.ceil(this.count / STRIDE));
    this.sums = new Float64Array(STATES * this.heads.length);
    const { bytes, frames, runs } = this.totals;
    // At most one run per frame; cut to size below.
    const runStarts = new Uint32Array(this.count + 1);
    let run = 0;
    for (let frame = 0; frame < this.count; frame += 1) {
      if (frame % STRIDE === 0) {
        this.heads[frame / STRIDE] = starts[frame]!;
        this.sums.set(bytes, STATES * (frame / STRIDE));
      }
      const state = states[frame]!;
      bytes[state]! += ends[frame]! - starts[frame]!;
      frames[state]! += 1;
      if (frame > 0 && states[frame - 1] === state) continue;
      runs[state]! += 1;
      runStarts[run] = frame;
      run += 1;
    }
    runStarts[run] = this.count;
    this.runStarts = runStarts.slice(0, run + 1);
  }

  get runCount(): number {
    return this.runStarts.length - 1;
  }

  /** The frame that holds the byte at `offset`; the nearest one if none does, -1 where there are none. */
  at(offset: number): number {
    return last(this.strip.starts, this.count, offset);
  }

  start(frame: number): number {
    return this.strip.starts[frame] ?? this.blobBytes;
  }

  end(frame: number): number {
    return this.strip.ends[frame] ?? this.blobBytes;
  }

  state(frame: number): number {
    return this.strip.states[frame] ?? 0;
  }

  upTo(offset: number, out: Float64Array): void {
    const { starts, ends, states } = this.strip;
    // With no frames there is no block, and all sums are 0.
    const block = Math.max(0, last(this.heads, this.heads.length, offset));
    for (let state = 0; state < STATES; state += 1) out[state] = this.sums[STATES * block + state] ?? 0;
    for (let frame = block * STRIDE; frame < this.count; frame += 1) {
      const start = starts[frame]!;
      if (start >= offset) return;
      out[states[frame]!]! += Math.min(offset, ends[frame]!) - start;
    }
  }

  run(number: number): Run {
    const first = this.runStarts[number] ?? 0;
    const behind = this.runStarts[number + 1] ?? first;
    return {
      number,
      state: this.state(first),
      start: this.start(first),
      end: this.end(behind - 1),
      first,
      frames: behind - first,
    };
  }

  /** The numbers of the runs in a state; of all for -1. */
  runsIn(state: number): Uint32Array {
    const found = new Uint32Array(state < 0 ? this.runCount : (this.totals.runs[state] ?? 0));
    let next = 0;
    for (let number = 0; number < this.runCount; number += 1) {
      if (state >= 0 && this.state(this.runStarts[number]!) !== state) continue;
      found[next] = number;
      next += 1;
    }
    return found;
  }

  /** The run that a frame is in. */
  runOf(frame: number): number {
    return Math.max(0, last(this.runStarts, this.runCount, frame));
  }

  /** The first frame of the next run in `state` (or, with `step` -1, of the one before); -1 for none. */
  nextRun(frame: number, state: number, step: 1 | -1): number {
    // Nothing is chosen yet: the first run counts, too.
    let number = frame < 0 ? (step === 1 ? 0 : -1) : this.runOf(frame) + step;
    for (; number >= 0 && number < this.runCount; number += step) {
      const first = this.runStarts[number]!;
      if (this.state(first) === state) return first;
    }
    return -1;
  }

  /** The first frame of a run that belongs to a file; -1 for none. */
  firstOfFile(run: Run): number {
    const { entries } = this.strip;
    for (let frame = run.first; frame < run.first + run.frames; frame += 1) {
      if (entries[frame] !== NONE) return frame;
    }
    return -1;
  }
}

/** The last of the first `count` ascending `values` that is not above `wanted`; the first if all are; -1 if there are none. */
function last(values: Float64Array | Uint32Array, count: number, wanted: number): number {
  if (count === 0) return -1;
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (values[middle]! <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** What stays of a layer that is not the chosen one: sums at so many places of its blob. Frames take up to 25 MB a million. */
const BINS = 2048;

/** A blob's sums at evenly spaced offsets; between them evenly spread. Enough for a strip of up to some thousand pixels. */
export class Profile implements Sums {
  readonly blobBytes: number;
  readonly totals: Totals;
  private readonly sums: Float64Array;

  constructor(frames: Frames) {
    this.blobBytes = frames.blobBytes;
    this.totals = frames.totals;
    this.sums = new Float64Array(STATES * (BINS + 1));
    for (let bin = 0; bin <= BINS; bin += 1) {
      frames.upTo((bin * this.blobBytes) / BINS, this.sums.subarray(STATES * bin, STATES * (bin + 1)));
    }
  }

  upTo(offset: number, out: Float64Array): void {
    const place = this.blobBytes > 0 ? Math.min(BINS, Math.max(0, (BINS * offset) / this.blobBytes)) : 0;
    const bin = Math.min(BINS - 1, Math.floor(place));
    for (let state = 0; state < STATES; state += 1) {
      const before = this.sums[STATES * bin + state]!;
      out[state] = before + (place - bin) * (this.sums[STATES * (bin + 1) + state]! - before);
    }
  }
}
