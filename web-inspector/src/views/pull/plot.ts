// The cumulative chart as geometry: the same for the canvas and for files.

export interface Step {
  image: number;
  /** After this pull, all together. */
  byFile: number;
  whole: number;
}

/** Bytes after so many pulls; the first is before any. */
export interface Plot {
  left: number;
  right: number;
  top: number;
  bottom: number;
  /** Where the pulls are on the x axis: 0 is before the first. */
  x(pull: number): number;
  y(bytes: number): number;
  /** Lines across, with what they mean. */
  ticks: number[];
  /** Every so many pulls are numbered. */
  every: number;
}

export function plotOf(width: number, height: number, steps: readonly Step[]): Plot {
  const pulls = steps.length - 1;
  const most = Math.max(1, ...steps.map(({ byFile, whole }) => Math.max(byFile, whole)));
  const [left, right, top, bottom] = [76, Math.max(100, width - 16), 14, height - 30];
  const tick = tickOf(most);
  const count = Math.max(1, Math.ceil(most / tick));
  const highest = count * tick;
  return {
    left,
    right,
    top,
    bottom,
    x: (pull) => left + ((right - left) * pull) / Math.max(1, pulls),
    y: (bytes) => bottom - ((bottom - top) * bytes) / highest,
    ticks: Array.from({ length: count + 1 }, (_, number) => number * tick),
    every: Math.max(1, Math.ceil((pulls * 28) / (right - left))),
  };
}

/** A round number of bytes of which at most five make `most`. */
function tickOf(most: number): number {
  const least = Math.max(1, most / 5);
  const unit = 1024 ** Math.floor(Math.log(least) / Math.log(1024));
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1024];
  return unit * (steps.find((step) => step * unit >= least) ?? 1024);
}

/** Sums of everything up to each pull, from 0 on. */
export function cumulated(bytes: readonly number[]): number[] {
  const sums = [0];
  for (const one of bytes) sums.push(sums.at(-1)! + one);
  return sums;
}
