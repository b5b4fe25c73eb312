// How much anything from outside may claim. What is not here the core limits itself.

export const KIB = 1024;
export const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** A manifest or an index of a registry. */
export const MANIFEST_BYTES = 4 * MIB;
export const CONFIG_BYTES = 8 * MIB;
/** A layout's `index.json`: one entry takes some 300 bytes. */
export const LAYOUT_INDEX_BYTES = 16 * MIB;
/** `manifest.json` of `docker save`. */
export const DOCKER_LIST_BYTES = 16 * MIB;
/** A token server's answer. */
export const TOKEN_BYTES = MIB;
/** What a server says about an error. */
export const ERROR_BYTES = 64 * KIB;

export const LAYERS = 1000;
export const MANIFESTS = 10_000;
export const ANNOTATIONS = 1000;
/** Images in one session. */
export const IMAGES = 1000;
/** Files given at once. */
export const FILES = 200_000;
/** A name that is kept, in characters. */
export const NAME = 4096;

/** An archive that is decompressed before it is read. */
export const UNPACKED_BYTES = 2 * GIB;
export const TAR_MEMBERS = 200_000;
/** A name or another extended header in a tar. */
export const TAR_HEADER_BYTES = MIB;

export const EXPORTED_BYTES = 4 * GIB;
export const EXPORTED_LINE = 256 * MIB;
export const EXPORTED_LINES = 10_000;

/** One request to the helper. */
export const HELPER_RANGE = 16 * MIB;
/** Layers of an image that are read at once. */
export const AT_ONCE = 4;

/** Rows of a list that a view may ask for. */
export const ROWS = 10_000;
/** The paths of a diff, together. */
export const PATH_BYTES = 512 * MIB;
