import "./images.css";

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
  const blobs = images.map(blobBytes);
  const read = images.reduce((sum, { readBytes }) => sum + readBytes, 0);
  const all = blobs.reduce((sum, some) => sum + some, 0);
  return (
    <div class="images">
      <details open>
        <summary id={IMAGES}>
          {counted(images.length, "image")}
          <span class="hint">
            {" "}
            {bytes(all)}, of which {bytes(read)} ({percent(read, all)}) {read === 1 ? "was" : "were"} read
          </span>
        </summary>
        <ul aria-label="Images">
          {images.map((image, index) => (
            <li key={`${index} ${image.name}`}>
              <One image={image} blobs={blobs[index] ?? 0} />
              <button type="button" class="no-print" disabled={closing !== undefined} onClick={() => onClose(index)}>
                {closing === index ? "Closing" : "Close"}
                <span class="visually-hidden"> {visible(image.name)}</span>
              </button>
            </li>
          ))}
        </ul>
      </details>
      <div class="row no-print">
        <button type="button" onClick={onMore} aria-expanded={more}>
          Open more images
        </button>
        <button type="button" onClick={onSave} title="The tables of contents of all images, for opening here again without reading the images">
          Save what is known
        </button>
      </div>
    </div>
  );
}

function One({ image, blobs }: { image: ImageInfo; blobs: number }) {
  const { name, digest, platform, layers, origin } = image;
  const facts = [
    platform && visible(platform),
    counted(layers.length, "layer"),
    bytes(blobs),
    counted(layers.reduce((sum, { entries }) => sum + entries, 0), "entry").replace(/entrys$/, "entries"),
  ].filter(Boolean);
  return (
    <div class="one">
      <strong class="mono">{visible(name)}</strong>
      <p class="hint">
        {digest && (
          <>
            <code title={visible(digest)}>{visible(short(digest))}</code>
            {" · "}
          </>
        )}
        {facts.join(" · ")}
      </p>
      <p class="hint">
        {how(layers)}
        {` · ${bytes(image.readBytes)} of ${bytes(blobs)} read`}
        {origin.from === "file" ? " from a file" : ` in ${counted(image.requests, "request")}`}
        {origin.from === "helper" ? " through the command" : ""}
      </p>
    </div>
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

function blobBytes({ layers }: ImageInfo): number {
  return layers.reduce((sum, layer) => sum + layer.blobBytes, 0);
}
