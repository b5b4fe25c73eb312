// What images' blobs come to.

import type { ImageInfo, LayerInfo } from "../protocol";

/** The bytes of blobs, each once: what several images have, a registry holds once and a pull takes once. */
export function blobBytes(layers: readonly LayerInfo[]): number {
  const each = new Map(layers.map(({ blob, blobBytes }) => [blob, blobBytes]));
  return [...each.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** What was read to know images, and of how much. */
export function readOf(images: readonly ImageInfo[]): { bytes: number; requests: number; of: number } {
  const sum = (figure: (image: ImageInfo) => number) => images.reduce((sum, image) => sum + figure(image), 0);
  return {
    bytes: sum(({ readBytes }) => readBytes),
    requests: sum(({ requests }) => requests),
    of: blobBytes(images.flatMap(({ layers }) => layers)),
  };
}
