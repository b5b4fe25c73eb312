// What the page shows, as the part of its address after `#`: who gets the address sees the same, and no server gets it.

import { CHANGES, type LinkMode, type Measure } from "./protocol";

export const VIEWS = ["overlap", "tree", "layers", "pull", "file", "diff"] as const;
export type View = (typeof VIEWS)[number];

/** Everything that the address keeps. Images are numbers in the order of `refs`, then of what was dropped. */
export interface Route {
  view: View;
  /** References to open, in order: `helper:REF` through the command, `registry:REF` by the page itself. */
  refs: string[];
  /** The image that is looked at, and the one that is held against it: a diff goes from `image` to `other`. */
  image: number;
  other: number;
  /** A path in the image, as the string that stands for its bytes: `src/worker/text.ts`. */
  path: string;
  layer: number;
  measure: Measure;
  /** How pictures are drawn. */
  picture: "icicle" | "treemap";
  /** What a rectangle's colours say: each of its parts, or what most of it is. */
  colour: "split" | "most";
  /** What counts as shared, and what cells of the matrix are in. */
  grain: "files" | "chunks";
  cells: "bytes" | "share";
  /** Kinds of changes that the list of a diff leaves out. */
  without: (typeof CHANGES)[number][];
  /** What the machine has, and the order of pulls, in the simulator. */
  having: number[];
  order: number[];
  roundTripMs: number;
  megabytesPerSecond: number;
  linkMode: LinkMode;
  /** What a list is narrowed to. */
  search: string;
}

export const START: Route = {
  view: "overlap",
  refs: [],
  image: 0,
  other: 1,
  path: "",
  layer: 0,
  measure: "compressed",
  picture: "icicle",
  colour: "split",
  grain: "chunks",
  cells: "share",
  without: [],
  having: [],
  order: [],
  roundTripMs: 20,
  megabytesPerSecond: 10,
  linkMode: "auto",
  search: "",
};

/** Writes what differs from the start. */
export function write(route: Route): string {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(route) as [keyof Route, Route[keyof Route]][]) {
    const start = START[key];
    if (key === "refs") for (const ref of route.refs) parts.append("ref", ref);
    else if (Array.isArray(value)) value.length > 0 && parts.set(key, value.join("."));
    else if (value !== start) parts.set(key, key === "path" ? spelled(route.path) : String(value));
  }
  return parts.size === 0 ? "" : `#${parts}`;
}

/** An address has characters only; bytes of a path that are none are spelled as `\xff`. */
function spelled(path: string): string {
  return path.replace(/[\\\udc80-\udcff]/gu, (found) => (found === "\\" ? "\\\\" : `\\x${(found.charCodeAt(0) - 0xdc00).toString(16)}`));
}

function unspelled(path: string): string {
  return path.replace(/\\(?:\\|x([89a-f][0-9a-f]))/g, (_, hex?: string) =>
    hex === undefined ? "\\" : String.fromCharCode(0xdc00 + Number.parseInt(hex, 16)),
  );
}

/** Numbers that fit `count` images; no image is held against itself. The address keeps those it has: an image may still be
    on its way. */
export function clamp(route: Route, count: number): Route {
  const last = Math.max(0, count - 1);
  const fits = (image: number) => image < count;
  const image = Math.min(route.image, last);
  const other = Math.min(route.other, last);
  return {
    ...route,
    image,
    other: other !== image || count < 2 ? other : image === 0 ? 1 : 0,
    having: route.having.filter(fits),
    order: route.order.filter(fits),
  };
}

/** The same after images got other numbers; `to` says which, or that one is gone. */
export function renumber(route: Route, to: (image: number) => number | undefined): Route {
  const list = (images: number[]) => images.map(to).filter((image) => image !== undefined);
  return {
    ...route,
    // The next one takes the place of one that is gone.
    image: to(route.image) ?? route.image,
    other: to(route.other) ?? route.other,
    having: list(route.having),
    order: list(route.order),
  };
}

/** Reads an address; what makes no sense in it is as at the start. */
export function read(hash: string): Route {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const one = <T extends string>(key: string, allowed: readonly T[], start: T): T =>
    allowed.find((word) => word === parts.get(key)) ?? start;
  const count = (key: keyof Route & string, start: number, least: number, most: number): number => {
    const value = Number(parts.get(key) ?? Number.NaN);
    return Number.isFinite(value) && value >= least && value <= most ? value : start;
  };
  const whole = (key: keyof Route & string, start: number): number => Math.trunc(count(key, start, 0, 9_999));
  const list = (key: string): number[] => [
    ...new Set((parts.get(key) ?? "").split(".").filter((part) => /^\d{1,4}$/.test(part)).map(Number)),
  ];
  return {
    view: one("view", VIEWS, START.view),
    refs: [...new Set(parts.getAll("ref"))].filter((ref) => ref.length <= 1_000).slice(0, 100),
    image: whole("image", START.image),
    other: whole("other", START.other),
    path: unspelled(parts.get("path") ?? START.path),
    layer: whole("layer", START.layer),
    measure: one("measure", ["compressed", "logical"], START.measure),
    picture: one("picture", ["icicle", "treemap"], START.picture),
    colour: one("colour", ["split", "most"], START.colour),
    grain: one("grain", ["files", "chunks"], START.grain),
    cells: one("cells", ["bytes", "share"], START.cells),
    without: CHANGES.filter((change) => parts.get("without")?.split(".").includes(change)),
    having: list("having"),
    order: list("order"),
    roundTripMs: count("roundTripMs", START.roundTripMs, 0, 10_000),
    megabytesPerSecond: count("megabytesPerSecond", START.megabytesPerSecond, 0.01, 100_000),
    linkMode: one("linkMode", ["auto", "hardlink", "reflink", "copy"], START.linkMode),
    search: parts.get("search") ?? START.search,
  };
}
