// The images that are open, and what the core knows of them.

import type { ImageForecast, Known, Overlap } from "@shingle/core";
import type { ImageIndex, ImageInfo, LayerInfo, OverlapFigures } from "../protocol";
import { core, free } from "./core";
import { because, failure } from "./fault";
import { IMAGES } from "./limits";
import { unused } from "./text";

/** A layer that is known, and how it came to be. */
export interface SessionLayer {
  known: Known;
  read: LayerInfo["read"];
  /** What its image says of it, as a digest: how a layer is pulled depends on that. Exported files do not keep it. */
  said?: string;
}

/** An image that is ready to be shown. */
export interface SessionImage {
  info: Omit<ImageInfo, "layers">;
  layers: SessionLayer[];
}

/** Frees the layers of images that are done with, but those that others have. */
export function freeLayers(images: readonly Pick<SessionImage, "layers">[], others: readonly SessionImage[] = []): void {
  const kept = new Set(others.flatMap(({ layers }) => layers.map(({ known }) => known)));
  const gone = new Set(images.flatMap(({ layers }) => layers.map(({ known }) => known)));
  for (const known of gone) if (!kept.has(known)) free(known);
}

/** A name that is shown, in characters. */
const LONGEST_NAME = 300;

/** Images, numbered as the page does; layers that several have are kept once. */
export class Session {
  #images: SessionImage[] = [];
  #overlap: Overlap | undefined;
  /** Figures that take time, until images change. */
  figures: OverlapFigures | undefined;
  #forecast: { key: string; forecast: ImageForecast } | undefined;
  /** Counts how often an image was closed: what was got from the session before may be freed. */
  closed = 0;

  get length(): number {
    return this.#images.length;
  }

  /** What the page shows of the images. */
  infos(): ImageInfo[] {
    return this.#images.map(({ info, layers }) => ({ ...info, layers: layers.map(layerInfo) }));
  }

  images(): readonly SessionImage[] {
    return this.#images;
  }

  /** The layers of an image, lowest first. */
  layers(image: ImageIndex): SessionLayer[] {
    return this.#image(image).layers;
  }

  known(image: ImageIndex): Known[] {
    return this.layers(image).map(({ known }) => known);
  }

  layer(image: ImageIndex, layer: number): Known {
    const found = this.layers(image)[layer];
    if (!found) throw failure("input", `the image has no layer ${layer + 1}`);
    return found.known;
  }

  /** What the images share. Image numbers are the session's. */
  overlap(): Overlap {
    this.#overlap ??= this.#compare(this.#images);
    return this.#overlap;
  }

  /** The forecast that was made last, if its key is this one, else a new one. */
  forecast(key: string, make: () => ImageForecast): ImageForecast {
    if (this.#forecast?.key !== key) {
      this.#forget();
      this.#forecast = { key, forecast: make() };
    }
    return this.#forecast.forecast;
  }

  /** An image's number, sure that there is such an image. */
  check(image: ImageIndex): ImageIndex {
    this.#image(image);
    return image;
  }

  /** A layer that some image has, of which the same was said. */
  find(said: string): SessionLayer | undefined {
    for (const { layers } of this.#images) {
      const found = layers.find((layer) => layer.said === said);
      if (found) return found;
    }
    return undefined;
  }

  /** Adds images, all or, where it throws, none. */
  add(images: SessionImage[]): ImageInfo[] {
    const all = [...this.#images];
    for (const image of images) {
      const info = { ...image.info, name: this.#unusedName(image.info.name, all) };
      all.push({ info, layers: image.layers });
    }
    if (all.length > IMAGES) throw failure("limit", `at most ${IMAGES} images can be open`);
    // Before the images are there: what cannot be compared cannot be shown.
    const overlap = this.overlap();
    try {
      for (const image of all.slice(overlap.len())) this.#addTo(overlap, image);
    } catch (error) {
      free(overlap);
      this.#changed(undefined);
      throw error;
    }
    this.#images = all;
    this.#changed(overlap);
    return this.infos();
  }

  /** Removes an image; those after it move up. */
  close(image: ImageIndex): ImageInfo[] {
    const closed = this.#image(image);
    this.#images = this.#images.filter((other) => other !== closed);
    this.closed += 1;
    // It is about images that have other numbers now.
    this.#forget();
    freeLayers([closed], this.#images);
    this.#overlap?.free();
    this.#changed(undefined);
    return this.infos();
  }

  #image(image: ImageIndex): SessionImage {
    const found = this.#images[image];
    if (!found) throw failure("input", `there is no image ${image + 1}`);
    return found;
  }

  #forget(): void {
    if (this.#forecast) free(this.#forecast.forecast);
    this.#forecast = undefined;
  }

  #changed(overlap: Overlap | undefined): void {
    this.#overlap = overlap;
    this.figures = undefined;
  }

  #compare(images: SessionImage[]): Overlap {
    const overlap = new core.Overlap();
    for (const image of images) this.#addTo(overlap, image);
    return overlap;
  }

  #addTo(overlap: Overlap, { info, layers }: SessionImage): void {
    try {
      overlap.addKnown(info.name, layers.map(({ known }) => known));
    } catch (error) {
      throw because(`${info.name} cannot be compared.`, error);
    }
  }

  #unusedName(wanted: string, images: SessionImage[]): string {
    const used = new Set(images.map(({ info }) => info.name));
    return unused(used, wanted.slice(0, LONGEST_NAME) || "image");
  }
}

function layerInfo({ known, read }: SessionLayer): LayerInfo {
  return {
    blob: known.blob(),
    diffId: known.diffId(),
    mediaType: known.mediaType(),
    blobBytes: known.blobLen(),
    entries: known.entries(),
    whole: known.pulled() === "whole" ? (known.why() ?? "no reason is given") : undefined,
    read,
  };
}
