// What is shared: by how many images, as layers, and the files that most is saved by.

import { useMemo } from "preact/hooks";

import { bytes, count, counted, percent, short, visible } from "../../format";
import type { ImageInfo, OverlapFigures } from "../../protocol";
import { Bar, Legend, type Part } from "../../parts/bar";
import { RouteLink } from "../../parts/link";
import { STATES } from "../../parts/looks";
import { type Column, DataTable, numeric } from "../../parts/table";
import { nameOf } from "../../parts/picks";
import type { ViewProps } from "../view";
import { amountOf, bytesOf, type Shown, unit } from "./shown";

type SharedBy = OverlapFigures["summary"]["sharedBy"][number];
type SharedFile = OverlapFigures["shared"][number];

interface SharedProps extends Pick<ViewProps, "images" | "route" | "go"> {
  figures: OverlapFigures;
  shown: Shown;
}

/** How many files or chunks, and how many bytes, are in exactly so many images. */
export function SharedByPart({ figures, shown }: Pick<SharedProps, "figures" | "shown">) {
  const { sharedBy } = figures.summary;
  const amount = (by: SharedBy) => amountOf(shown, by.files, by.chunks);
  const size = (by: SharedBy) => bytesOf(shown, amount(by).bytes);
  const all = sharedBy.reduce((sum, by) => sum + size(by), 0);
  const most = Math.max(...sharedBy.map(size));
  const rows = sharedBy.filter((by) => amount(by).count > 0);
  const columns: Column<SharedBy>[] = [
    { name: "In so many images", value: (by) => inImages(by.images), sort: (by) => by.images },
    numeric(shown.grain === "files" ? "Files" : "Chunks", (by) => amount(by).count),
    numeric("Bytes", size, bytes),
    { name: "Share", numeric: true, value: (by) => percent(size(by), all), sort: size },
    {
      name: "Picture",
      value: (by) => (
        <div class="cell-bar">
          <Bar label={inImages(by.images)} total={most} parts={[sharedByPart(by.images, size(by))]} />
        </div>
      ),
    },
  ];
  return (
    <section aria-labelledby="overlap-shared-by">
      <h3 id="overlap-shared-by">By how many images it is shared</h3>
      <p class="hint">Each content counted once, in {unit(shown)}. Numbers of images that nothing is in are left out.</p>
      <Legend parts={[sharedByPart(1, undefined), sharedByPart(2, undefined)]} />
      <DataTable caption="What exactly so many images have" columns={columns} rows={rows} empty="The images hold no files." />
    </section>
  );
}

function sharedByPart<Value extends number | undefined>(images: number, value: Value): Omit<Part, "value"> & { value: Value } {
  const look = images === 1 ? STATES.unique : STATES.shared;
  return { name: images === 1 ? "In one image only" : "In several images", token: look.token, pattern: look.pattern, value };
}

function inImages(images: number): string {
  return images === 1 ? "1 image only" : `${count(images)} images`;
}

/** Of more images than this, a line names the first. */
const NAMED = 5;

interface SharedLayer {
  blob: string;
  blobBytes: number;
  files: number;
  images: number[];
}

/** Layers that several images have. */
export function SharedLayers({ figures, images }: Pick<SharedProps, "figures" | "images">) {
  const layers = useMemo(() => sharedLayers(figures, images), [figures, images]);
  if (layers.length === 0) return null;
  const columns: Column<SharedLayer>[] = [
    { name: "Layer", value: (layer) => <code>{short(layer.blob)}</code> },
    numeric("Blob", (layer) => layer.blobBytes, bytes),
    numeric("Files", (layer) => layer.files),
    numeric("Images", (layer) => layer.images.length),
    { name: "Which", value: (layer) => which(images, layer.images) },
  ];
  return (
    <section aria-labelledby="overlap-layers">
      <h3 id="overlap-layers">Layers that several images have</h3>
      <DataTable caption="A pull of a second image takes nothing of these, by any tool" columns={columns} rows={layers} />
    </section>
  );
}

/** The first of some images by name. */
function which(images: readonly ImageInfo[], some: readonly number[]): string {
  const names = some.slice(0, NAMED).map((image) => nameOf(images, image));
  const more = some.length - names.length;
  return names.join(", ") + (more > 0 ? ` and ${counted(more, "other")}` : "");
}

function sharedLayers({ summary }: OverlapFigures, images: readonly ImageInfo[]): SharedLayer[] {
  const found = new Map<string, SharedLayer>();
  summary.images.forEach((image, at) => {
    image.layers.forEach((layer, index) => {
      const key = layer.diffId ?? layer.blob;
      if (layer.alsoIn.length === 0 || key === undefined || found.has(key)) return;
      const all = [...new Set([at, ...layer.alsoIn])].sort((a, b) => a - b);
      const blob = layer.blob ?? images[at]?.layers[index]?.blob ?? key;
      found.set(key, { blob, blobBytes: layer.blobBytes, files: layer.files.count, images: all });
    });
  });
  return [...found.values()].sort((a, b) => b.blobBytes - a.blobBytes);
}

/** The files that most bytes are saved by, because several images have them. */
export function SharedFiles({ figures, shown, images, route, go }: SharedProps) {
  const size = (file: SharedFile) => bytesOf(shown, file.bytes);
  const saved = (file: SharedFile) => size(file) * (file.images - 1);
  const columns: Column<SharedFile>[] = [
    {
      name: "Path",
      value: (file) =>
        file.path === "" ? (
          <>hidden, <code>{short(file.digest)}</code></>
        ) : (
          <RouteLink at={{ route, go }} to={{ view: "file", image: file.first, path: file.path }}>
            {visible(file.path)}
          </RouteLink>
        ),
      sort: (file) => file.path,
    },
    { name: "In", value: (file) => `${nameOf(images, file.first)} and ${counted(file.images - 1, "other")}` },
    numeric("Images", (file) => file.images),
    numeric("Bytes", size, bytes),
    numeric("Saved", saved, bytes),
  ];
  return (
    <section aria-labelledby="overlap-files">
      <h3 id="overlap-files">Files that save most</h3>
      <DataTable
        caption="Files that several images have; saved is what they take beyond the first"
        columns={columns}
        rows={figures.shared}
        page={10}
        empty="No two images have a file in common."
      />
    </section>
  );
}
