// What the page says about itself; used in more than one place.

import { VIEWS, type View } from "../route";

/** The views, as they are called and what they are for. */
export const ABOUT: Record<View, { name: string; about: string }> = {
  overlap: { name: "Overlap", about: "How many bytes each pair of images shares, and which files most of it is." },
  tree: { name: "Tree", about: "Every file of an image as a rectangle: shared, unique, partly shared or wasted." },
  layers: { name: "Layers", about: "Each layer's blob front to back, and what a pull would do with every part." },
  pull: { name: "Pull", about: "What a pull would cost a machine that has some of the images already." },
  file: { name: "File", about: "All that is known of one path: metadata, chunks, and who else has it." },
  diff: { name: "Diff", about: "What was added, removed, changed or renamed between two images." },
};

/** The same as a list of terms. */
export const VIEW_TERMS = VIEWS.map((view) => [ABOUT[view].name, ABOUT[view].about] as const);

export const PRIVACY =
  "No data leaves this browser: images are read here, the address keeps what you look at after its #, which no server gets, " +
  "and the only requests are those to the registries whose images you open.";

/** The words of the trade, for those who see them for the first time. */
export const WORDS: readonly (readonly [word: string, meaning: string])[] = [
  ["layer", "One of the archives that an image is made of, each laid over the ones before it."],
  ["blob", "The file that a layer is in a registry: its tar, compressed."],
  ["TOC", "The table of contents at the end of a zstd:chunked blob. It names every file, its chunks, and where they lie."],
  ["chunk", "A piece of a file, cut where its content says so. The same content gives the same chunks."],
  ["frame", "The compressed bytes of a chunk in the blob. A pull can fetch one without the others."],
  ["range", "A run of frames that is fetched with one request."],
  ["bridged", "Bytes between two frames that are fetched too, because one request costs less than two."],
  ["reused", "What the machine has already, so that it need not be fetched."],
  ["whiteout", "A mark in a layer that a path of a layer below is gone."],
  ["wasted", "Files of lower layers that upper ones replace or white out: they are pulled, and nobody sees them."],
  ["whole", "A layer without a TOC, such as gzip: a pull takes all of it, and this page has to read all of it."],
  ["DiffID", "The digest of a layer's tar, which the image's config names."],
];
