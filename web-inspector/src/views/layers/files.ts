// The layers as files: figures and runs as JSON and CSV, strips as SVG.

import { type Cell, csvLines } from "../../export/csv";
import { jsonLines } from "../../export/json";
import type { Text } from "../../export/save";
import { block, cut, heading, label, legend, picture } from "../../export/svg";
import { bytes, short, visible } from "../../format";
import type { ImageInfo, LayerInfo, Link } from "../../protocol";
import { STRIP_STATES } from "../../protocol";
import type { FrameBook } from "./book";
import type { Shown } from "./detail";
import { type Frames, type Profile, type Run, type Sums } from "./frames";
import { BAND, bytesPerPixel, rowTop, pixels } from "./grid";
import { LOOKS } from "./looks";
import { blocks, type Place } from "./paint";
import { ofFrame } from "./words";

/** What files tell of. */
export interface Subject {
  image: ImageInfo;
  layer: number;
  info: LayerInfo;
  /** Names of the images that the machine has. */
  having: string[];
  link: Link;
  frames: Frames;
  book: FrameBook;
}

/** The first path of so many runs is looked up for a file; with more runs, files have the numbers of entries alone. */
const LOOKED_UP = 5_000;

export function jsonFile(subject: Subject): Text {
  const { image, layer, info, having, link, frames } = subject;
  const { totals } = frames;
  const states = STRIP_STATES.map((state, number) => {
    const [bytes, some, runs] = [totals.bytes[number], totals.frames[number], totals.runs[number]];
    return [state, { bytes, frames: some, runs }] as const;
  });
  const head = {
    image: { name: image.name, digest: image.digest, platform: image.platform },
    layer: { number: layer + 1, blob: info.blob, diffId: info.diffId, blobBytes: frames.blobBytes, whole: info.whole },
    forecastFor: { having, link },
    states: Object.fromEntries(states),
  };
  return withPaths(subject, (paths) => jsonLines("layer-runs", head, "runs", jsonRuns(frames, paths)));
}

export function csvFile(subject: Subject): Text {
  const head = ["run", "state", "start", "end (exclusive)", "bytes", "frames", "entry", "first path"];
  return withPaths(subject, (paths) => csvLines(head, csvRuns(subject.frames, paths)));
}

function* jsonRuns(frames: Frames, paths: Paths): Iterable<object> {
  for (const { run, entry } of runs(frames)) {
    const { start, end, frames: some } = run;
    yield { state: STRIP_STATES[run.state], start, end, frames: some, entry, firstPath: paths[run.number] };
  }
}

function* csvRuns(frames: Frames, paths: Paths): Iterable<Cell[]> {
  for (const { run, entry } of runs(frames)) {
    const { start, end } = run;
    yield [run.number + 1, STRIP_STATES[run.state], start, end, end - start, run.frames, entry, paths[run.number]];
  }
}

function* runs(frames: Frames): Iterable<{ run: Run; entry: number | undefined }> {
  for (let number = 0; number < frames.runCount; number += 1) {
    const run = frames.run(number);
    const frame = frames.firstOfFile(run);
    yield { run, entry: frame < 0 ? undefined : ofFrame(frames, frame)[0] };
  }
}

/** By the number of the run. */
type Paths = readonly (string | undefined)[];

function withPaths({ frames, book }: Subject, write: (paths: Paths) => Iterable<string>): Text {
  if (frames.runCount > LOOKED_UP) return write([]);
  const look = async () => {
    const paths: (string | undefined)[] = [];
    for (let number = 0; number < frames.runCount; number += 1) {
      const frame = frames.firstOfFile(frames.run(number));
      const info = frame < 0 ? undefined : await book.ask(...ofFrame(frames, frame));
      paths.push(info && visible(info.path));
    }
    return [...write(paths)].join("");
  };
  return look();
}

const [WIDTH, LEFT, STRIP] = [1000, 90, 20];

/** All layers as strips, and of the chosen one what the page shows. */
export function svgFile(subject: Subject, profiles: ReadonlyMap<number, Profile>, shown: Shown | undefined): string {
  const { image, layer, frames } = subject;
  const title = `Layers of ${visible(image.name)}: what a pull does to their frames`;
  const drawn = [heading(cut(title, 120))];
  let y = 44;
  for (const [number, profile] of [...profiles].sort(([a], [b]) => a - b)) {
    const { blob } = image.layers[number] ?? { blob: "" };
    drawn.push(label(10, y, `Layer ${number + 1}  ${short(blob)}  ${bytes(profile.blobBytes)}`));
    drawn.push(...strip({ x: 10, y: y + 6, width: WIDTH - 20, height: STRIP }, profile, 0, profile.blobBytes / (WIDTH - 20)));
    y += STRIP + 28;
  }
  if (shown) {
    const { grid, span } = shown;
    drawn.push(label(10, y + 4, `Layer ${layer + 1}, from byte ${Math.floor(span.from)} to ${Math.ceil(span.to)}`, { "font-weight": 600 }));
    y += 12;
    const width = WIDTH - LEFT - 10;
    const perPixel = (bytesPerPixel(grid, span) * grid.width) / width;
    for (let row = 0; row < grid.rows; row += 1) {
      const from = span.from + row * width * perPixel;
      if (from >= frames.blobBytes || row * grid.width >= pixels(grid)) break;
      const top = y + rowTop(row);
      drawn.push(label(LEFT - 8, top + BAND / 2 + 4, bytes(from), { "text-anchor": "end" }));
      drawn.push(...strip({ x: LEFT, y: top, width, height: BAND }, frames, from, perPixel));
    }
    y += rowTop(grid.rows) + 8;
  }
  drawn.push(...legend(10, y, LOOKS));
  return picture(WIDTH, y + 30, title, ...drawn);
}

function strip(place: Place, sums: Sums, from: number, perPixel: number): string[] {
  return blocks(place, sums, from, perPixel).map(({ x, y, width, height, state }) => {
    const { token, pattern } = LOOKS[state]!;
    return block(x, y, width, height, token, pattern);
  });
}
