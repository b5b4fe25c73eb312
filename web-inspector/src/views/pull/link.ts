// The machine that pulls: what its link is like, what it has, and what it pulls in which order.

import type { ImageInfo, Link, LinkMode } from "../../protocol";
import type { Route } from "../../route";

/** So many requests run at once, as in the command if nothing is said. */
export const IN_FLIGHT = 8;

/** The least and the most that the address takes. */
export const ROUND_TRIP_MS = { least: 0, most: 10_000 } as const;
export const MEGABYTES = { least: 0.01, most: 100_000 } as const;

export interface Preset {
  name: string;
  roundTripMs: number;
  megabytesPerSecond: number;
}

export const PRESETS: readonly Preset[] = [
  { name: "LAN", roundTripMs: 1, megabytesPerSecond: 110 },
  { name: "Same region", roundTripMs: 5, megabytesPerSecond: 60 },
  { name: "Broadband", roundTripMs: 20, megabytesPerSecond: 12 },
  { name: "Mobile", roundTripMs: 60, megabytesPerSecond: 3 },
  { name: "The command’s default", roundTripMs: 4, megabytesPerSecond: 8 },
];

export const LINK_MODES: readonly { value: LinkMode; text: string }[] = [
  { value: "auto", text: "auto: hard link, else clone, else copy" },
  { value: "hardlink", text: "hardlink: hard link where metadata agree" },
  { value: "reflink", text: "reflink: clone, else copy" },
  { value: "copy", text: "copy: copy every byte" },
];

/** The link that the address names. */
export function linkOf(route: Route): Link {
  return {
    roundTripMs: route.roundTripMs,
    bytesPerSecond: Math.max(1, Math.round(route.megabytesPerSecond * 1e6)),
    inFlight: IN_FLIGHT,
    linkMode: route.linkMode,
  };
}

/** The images that the machine has. */
export function havingOf(route: Route, images: readonly ImageInfo[]): number[] {
  return route.having.filter((image) => image < images.length);
}

/** The images that are pulled, in order: first those that the address names, then the others as they were opened. */
export function orderOf(route: Route, images: readonly ImageInfo[]): number[] {
  const having = new Set(havingOf(route, images));
  const named = route.order.filter((image) => image < images.length);
  const all = [...new Set([...named, ...images.keys()])];
  return all.filter((image) => !having.has(image));
}

/** `list` with what is at `from` moved to `to`. */
export function moved<Item>(list: readonly Item[], from: number, to: number): Item[] {
  const rest = list.filter((_, place) => place !== from);
  const item = list[from];
  if (item === undefined || to < 0 || to > rest.length) return [...list];
  return [...rest.slice(0, to), item, ...rest.slice(to)];
}
