import "./images.css";

import { useState } from "preact/hooks";

import { bytes, count, counted, percent, short, visible } from "../format";
import type { ImageInfo, LayerInfo } from "../protocol";

export interface ImagesProps {
  images: readonly ImageInfo[];
  /** The image that is being closed. */
  closing: number | undefined;
  onClose(image: number): void;
  onSave(): void;
  /** Shows the region in which more are opened, or hides it. */
  onMore(): void;
  more: boolean;
}

/** The element that has the focus after an image was closed. */
export const IMAGES = "images-summary";

export function Images({ images, closing, onClose, onSave, onMore, more }: ImagesProps) {
  const [details, setDetails] = useState(false);
  const read = images.reduce((sum, { readBytes }) => sum + readBytes, 0);
  const all = images.reduce((sum, image) => sum + blobBytes(image), 0);
  return (
    <div class="images">
      <p id={IMAGES} tabIndex={-1}>
        <strong>{counted(images.length, "image")}</strong>
        <span class="hint">
          {" "}
          {bytes(all)}, of which {bytes(read)} ({percent(read, all)}) {read === 1 ? "was" : "were"} read
        </span>
      </p>
      <div class="row no-print">
        <button type="button" onClick={() => setDetails(!details)} aria-expanded={details}>
          Details
        </button>
        <button type="button" onClick={onMore} aria-expanded={more}>
          Open more images
        </button>
        <button type="button" onClick={onSave} title="The tables of contents of all images, for opening here again without reading the images">
          Save what is known
        </button>
      </div>
      <ul aria-label="Images" class={details ? "detailed" : undefined}>
        {images.map((image, index) => (
          <li key={`${index} ${image.name}`}>
            <strong class="mono">{visible(image.name)}</strong>
            <span class="hint">{facts(image)}</span>
            {details && <Details image={image} />}
            <button type="button" class="no-print" disabled={closing !== undefined} onClick={() => onClose(index)}>
              {closing === index ? "Closing" : "Close"}
              <span class="visually-hidden"> {visible(image.name)}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function facts({ layers, readBytes, ...image }: ImageInfo): string {
  const all = blobBytes({ layers });
  const platform = image.platform === undefined ? "" : `${visible(image.platform)}, `;
  return `${platform}${counted(layers.length, "layer")}, ${bytes(all)}, ${percent(readBytes, all)} read`;
}

function Details({ image: { digest, layers, origin, readBytes, requests } }: { image: ImageInfo }) {
  const entries = layers.reduce((sum, layer) => sum + layer.entries, 0);
  return (
    <p class="hint">
      {digest && (
        <>
          <code title={visible(digest)}>{visible(short(digest))}</code>
          {" · "}
        </>
      )}
      {[counted(entries, "entry", "entries"), how(layers), `${bytes(readBytes)} of ${bytes(blobBytes({ layers }))} read`]
        .filter(Boolean)
        .join(" · ")}
      {origin.from === "file" ? " from a file" : ` in ${counted(requests, "request")}`}
      {origin.from === "helper" ? " through the command" : ""}
    </p>
  );
}

/** How layers came to be known, such as `2 layers by TOC, 1 whole`. */
function how(layers: readonly LayerInfo[]): string {
  const number = (read: LayerInfo["read"]) => layers.filter((layer) => layer.read === read).length;
  const parts = [
    [number("toc"), "by TOC"],
    [number("exported"), "by saved TOC"],
    [number("whole"), "read whole"],
  ] as const;
  return parts
    .filter(([some]) => some > 0)
    .map(([some, words], index) => `${index === 0 ? counted(some, "layer") : count(some)} ${words}`)
    .join(", ");
}

function blobBytes({ layers }: Pick<ImageInfo, "layers">): number {
  return layers.reduce((sum, layer) => sum + layer.blobBytes, 0);
}
