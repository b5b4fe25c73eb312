// What page and worker say to each other. The core lives in the worker; the page asks and shows, and decides nothing.
//
// A call is one message `Ask` and one answer `Tell` with the same `id`; between them may be any number of `progress`.
// Long lists are typed arrays and are transferred, not copied.

import type {
  DiffSummary,
  Duplicate,
  Holding,
  Kind,
  NodeDetails,
  OverlapMatrix,
  OverlapSummary,
  PullOrder,
  SharedContent,
} from "@shingle/core";

/** The number of an image in the session, from 0 on, in the order in which images are shown. */
export type ImageIndex = number;
/** The number of a path in an image; 0 is the root. */
export type NodeIndex = number;
/** What rectangles and sums count: bytes in the blob, or bytes of files. */
export type Measure = "compressed" | "logical";
export type LinkMode = "auto" | "hardlink" | "reflink" | "copy";

/** How an image came into the page. */
export type Origin =
  /** From a registry that lets pages ask it. */
  | { from: "registry"; ref: string }
  /** Through `shingle inspect --web`. */
  | { from: "helper"; ref: string }
  /** From files on this machine. */
  | { from: "file"; name: string };

/** An image of the session. */
export interface ImageInfo {
  /** What it is called in the page. */
  name: string;
  origin: Origin;
  digest: string | undefined;
  platform: string | undefined;
  layers: LayerInfo[];
  /** What was read of blobs to know this. */
  readBytes: number;
  requests: number;
}

/** What came of opening. */
export interface Opened {
  /** All that are open now. */
  images: ImageInfo[];
  /** Why others of those that were asked for are not. */
  faults: Fault[];
}

export interface LayerInfo {
  blob: string;
  diffId: string;
  mediaType: string;
  blobBytes: number;
  /** Entries in its TOC. */
  entries: number;
  /** Why a pull takes it whole; nothing where it takes it by file. */
  whole: string | undefined;
  /** How the TOC came: from the blob's end, by reading all of the blob, or from an exported file. */
  read: "toc" | "whole" | "exported";
}

/** Figures over all images. */
export interface OverlapFigures {
  summary: OverlapSummary;
  matrix: OverlapMatrix;
  /** The order of pulls that costs least. */
  order: PullOrder;
  /** The files that most is saved by. */
  shared: (SharedContent & { path: string })[];
}

/** `OverlapView` of the core, for one image. Everything has one length, but `names`. */
export interface TreeArrays {
  parents: Uint32Array;
  ends: Uint32Array;
  names: Uint8Array;
  nameEnds: Uint32Array;
  kinds: Uint8Array;
  gone: Uint8Array;
  files: Uint32Array;
  shared: Float64Array;
  unique: Float64Array;
  partly: Float64Array;
  partlyShared: Float64Array;
  wasted: Float64Array;
  unlocated: number;
}
/** What `kinds` indexes, here and in the columns of a TOC. */
export const KINDS = ["block", "char", "directory", "fifo", "hardlink", "regular", "symlink"] as const satisfies Kind[];

/** What the machine of a simulation is like. */
export interface Link {
  roundTripMs: number;
  bytesPerSecond: number;
  /** Requests at once. */
  inFlight: number;
  linkMode: LinkMode;
}

/** A pull that is simulated: `images` one after the other, by a machine that has `having`. */
export interface Simulation {
  having: ImageIndex[];
  images: ImageIndex[];
  link: Link;
}

/** One simulated pull; bytes and counts as `shingle plan` reports them. */
export interface PullForecast {
  image: ImageIndex;
  blobBytes: number;
  tocBytes: number;
  fetchedBytes: number;
  requests: number;
  bridgedBytes: number;
  reusedBytes: number;
  contentBytes: number;
  seconds: number;
  files: { total: number; hardlinked: number; cloned: number; copied: number; twins: number; assembled: number; fetched: number };
  layers: { mode: "present" | "whole" | "partial"; why: string | undefined; fetchedBytes: number; requests: number; reusedBytes: number }[];
}

/** A layer's blob front to back; all arrays have one length. `states` index `STRIP_STATES`. */
export interface Strip {
  starts: Float64Array;
  ends: Float64Array;
  /** The entry that a frame belongs to; 0xffffffff for none. */
  entries: Uint32Array;
  /** Which chunk of its file. */
  chunks: Uint32Array;
  states: Uint8Array;
  blobBytes: number;
}
export const STRIP_STATES = ["fetched", "bridged", "reused", "skipped", "toc", "tar-split", "footer"] as const;

/** A diff as arrays; `changed` indexes `CHANGES`. `old` and `new` are nodes, -1 for none. */
export interface DiffArrays {
  changed: Uint8Array;
  old: Int32Array;
  new: Int32Array;
  /** Bits: 1 mode, 2 owner, 4 mtime, 8 xattrs. */
  fields: Uint8Array;
  logical: Float64Array;
  compressed: Float64Array;
  /** Of `compressed`, in chunks that the old image lacks. */
  fresh: Float64Array;
  /** The paths, one after the other, escaped for showing; UTF-8. */
  paths: Uint8Array;
  pathEnds: Uint32Array;
  summary: DiffSummary;
}
export const CHANGES = ["added", "removed", "content", "metadata", "renamed"] as const;

/** A path with all that is known of it. */
export interface FileDetails {
  path: string;
  node: NodeIndex;
  details: NodeDetails;
  /** What a symbolic or hard link says; `undefined` for other kinds. */
  link: string | undefined;
  /** Extended attributes by name, values as text that stands for their bytes, long ones cut. */
  xattrs: [name: string, value: string][];
  /** Images that have its content, as a file or as a chunk of one, with the first path there. */
  holders: (Holding & { path: string | undefined })[];
}

/** Every call: what is asked, and what is answered. */
export interface Calls {
  /** Opens an image by its reference. `helper`: through the command that serves the page. */
  openRef: { ask: { ref: string; via: "registry" | "helper" }; answer: Opened };
  /** What the command that serves the page was asked to show. */
  session: { ask: Record<string, never>; answer: { version: string; refs: string[] } };
  /** Opens what was dropped or chosen: archives, a layout's files, a blob, an exported file. Paths are relative. */
  openFiles: { ask: { files: { path: string; file: File }[] }; answer: Opened };
  /** Removes an image; those after it move up. */
  close: { ask: { image: ImageIndex }; answer: ImageInfo[] };
  /** All that is known of the images, as an exported file. */
  save: { ask: Record<string, never>; answer: Uint8Array };
  overlap: { ask: Record<string, never>; answer: OverlapFigures };
  duplicates: { ask: { image: ImageIndex; limit: number }; answer: (Duplicate & { paths: string[] })[] };
  tree: { ask: { image: ImageIndex; measure: Measure }; answer: TreeArrays };
  find: { ask: { image: ImageIndex; path: string }; answer: NodeIndex | undefined };
  search: { ask: { image: ImageIndex; text: string; limit: number }; answer: { node: NodeIndex; path: string }[] };
  details: { ask: { image: ImageIndex; node: NodeIndex }; answer: FileDetails };
  simulate: { ask: Simulation; answer: PullForecast[] };
  /** What the pull of `image` does to one of its layers, by a machine that has `having`. */
  strip: { ask: { image: ImageIndex; layer: number; having: ImageIndex[]; link: Link }; answer: Strip };
  /** What a frame of a strip is: the path, and where its chunk lies in the file. */
  frame: {
    ask: { image: ImageIndex; layer: number; entry: number; chunk: number };
    answer: { path: string; offset: number; len: number; digest: string | undefined; node: NodeIndex | undefined };
  };
  diff: { ask: { old: ImageIndex; new: ImageIndex }; answer: DiffArrays };
}
export type CallName = keyof Calls;

/** From the page to the worker. */
export type Ask =
  | { [Name in CallName]: { id: number; call: Name; ask: Calls[Name]["ask"] } }[CallName]
  /** The page's own address, below which the helper answers; said once, before all else. */
  | { id: number; call: "page"; base: string }
  | { id: number; call: "cancel" };

/** From the worker to the page. */
export type Tell =
  | { tag: "answer"; id: number; answer: unknown }
  | { tag: "progress"; id: number; progress: Progress }
  | { tag: "fault"; id: number; fault: Fault };

export interface Progress {
  /** What is being done, such as "Reading layer 2 of 5". */
  what: string;
  done: number;
  /** 0 when nobody knows. */
  total: number;
  unit: "bytes" | "layers" | "images" | "entries";
}

/** Why a call failed, for people. Text from outside is in it: show it as text only. */
export interface Fault {
  /** What could not be done, in one sentence. */
  message: string;
  /** What led to it, outermost first. */
  causes: string[];
  /** What to do about it. */
  hint: string | undefined;
  /** `cors`: the browser does not let the page ask. `input`: what was given is not what opens here. `lie`: it contradicts itself
      or its digests. `limit`: it is too much. */
  kind: "cancelled" | "cors" | "input" | "lie" | "limit" | "other";
}
