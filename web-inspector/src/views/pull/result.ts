// What came of a simulation, summed up.

import type { ImageInfo, PullForecast, Simulation } from "../../protocol";
import type { Pattern, Token } from "../../parts/looks";

/** An answer with its question: both are shown together until the next one is known. */
export interface Result {
  question: Simulation;
  forecasts: PullForecast[];
}

export type Files = PullForecast["files"];
export type Origin = Exclude<keyof Files, "total">;

/** Where files come from, and how that looks. */
export const ORIGINS: readonly { key: Origin; name: string; token: Token; pattern: Pattern; meaning: string }[] = [
  { key: "hardlinked", name: "Hard linked", token: "shared", pattern: "solid", meaning: "one more name of a file that is here" },
  { key: "cloned", name: "Cloned", token: "partly", pattern: "dots", meaning: "shares the extents of a file that is here" },
  { key: "copied", name: "Copied", token: "wasted", pattern: "level", meaning: "a copy of a file that is here" },
  { key: "twins", name: "Twins", token: "meta", pattern: "upright", meaning: "the same as an earlier file of the layer" },
  { key: "assembled", name: "Assembled", token: "bridged", pattern: "cross", meaning: "put together from parts that are here" },
  { key: "fetched", name: "Fetched", token: "fetched", pattern: "rising", meaning: "fetched in whole or in part" },
];

/** Figures of one pull, or of all. */
export interface Figures {
  blobBytes: number;
  tocBytes: number;
  fetchedBytes: number;
  /** What a pull that knows layers alone would fetch: the blobs of those that are not here. */
  wholeBytes: number;
  requests: number;
  bridgedBytes: number;
  reusedBytes: number;
  contentBytes: number;
  seconds: number;
  files: Files;
}

export function figuresOf(forecast: PullForecast, images: readonly ImageInfo[]): Figures {
  const layers = images[forecast.image]?.layers ?? [];
  const missing = layers.filter((_, layer) => forecast.layers[layer]?.mode !== "present");
  return { ...forecast, wholeBytes: missing.reduce((sum, layer) => sum + layer.blobBytes, 0) };
}

export function sumOf(all: readonly Figures[]): Figures {
  const sum = (figure: (one: Figures) => number) => all.reduce((sum, one) => sum + figure(one), 0);
  return {
    blobBytes: sum((one) => one.blobBytes),
    tocBytes: sum((one) => one.tocBytes),
    fetchedBytes: sum((one) => one.fetchedBytes),
    wholeBytes: sum((one) => one.wholeBytes),
    requests: sum((one) => one.requests),
    bridgedBytes: sum((one) => one.bridgedBytes),
    reusedBytes: sum((one) => one.reusedBytes),
    contentBytes: sum((one) => one.contentBytes),
    seconds: sum((one) => one.seconds),
    files: {
      total: sum((one) => one.files.total),
      hardlinked: sum((one) => one.files.hardlinked),
      cloned: sum((one) => one.files.cloned),
      copied: sum((one) => one.files.copied),
      twins: sum((one) => one.files.twins),
      assembled: sum((one) => one.files.assembled),
      fetched: sum((one) => one.files.fetched),
    },
  };
}
