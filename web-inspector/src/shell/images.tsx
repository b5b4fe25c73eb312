import "./images.css";

import { useState } from "preact/hooks";

import { bytes, count, counted, percent, short, visible } from "../format";
import { blobBytes, readOf } from "../parts/blobs";
import type { ImageInfo, LayerInfo } from "../protocol";

interface ImagesProps {
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
  const read = readOf(images);
  return (
    <div class="images">
      <p id={IMAGES} tabIndex={-1}>
        <strong>{counted(images.length, "image")}</strong>
        <span class="hint">
          {" "}
          {bytes(read.of)} of blobs, of which {bytes(read.bytes)}
          {read.of > 0 && ` (${percent(read.bytes, read.of)})`} were read
          {read.requests > 0 && ` in ${counted(read.requests, "request")}`}
        </span>
      </p>
      <div class="row no-print">
        <button type="button" onClick={() => setDetails(!details)} aria-expanded={details}>
          Details
        </button>
        <button type="button" onClick={onMore} aria-expanded={more}>
          Open more images
        </button>
        <button
          type="button"
          class="save"
          onClick={onSave}
          title="The tables of contents of all images, for opening here again without reading the images"
        >
          Save what is known
        </button>
      </div>
      <ul aria-label="Images" class={details ? "detailed" : undefined}>
        {images.map((image, index) => (
          <li key={`${index} ${image.name}`}>
            <strong class="mono">{visible(image.name)}</strong>
            <span class="hint">
              {how(image.layers)}, {bytes(blobBytes(image.layers))}
            </span>
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

function Details({ image: { digest, platform, layers, origin, readBytes, requests } }: { image: ImageInfo }) {
  const entries = layers.reduce((sum, layer) => sum + layer.entries, 0);
  return (
    <p class="hint">
      {digest && (
        <>
          <code title={visible(digest)}>{visible(short(digest))}</code>
          {" · "}
        </>
      )}
      {[platform && visible(platform), counted(entries, "entry", "entries"), `${bytes(readBytes)} read`]
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
  const those = parts.filter(([some]) => some > 0);
  if (those.length === 0) return "no layers";
  return those
    .map(([some, words], index) => `${index === 0 ? counted(some, "layer") : count(some)} ${words}`)
    .join(", ");
}
