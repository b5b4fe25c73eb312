// Each image by itself: what it shares, and what it carries in vain.

import { useMemo } from "preact/hooks";

import { bytes, percent } from "../../format";
import type { OverlapFigures } from "../../protocol";
import { Bar, Legend, type Part } from "../../parts/bar";
import { RouteLink } from "../../parts/link";
import { STATES } from "../../parts/looks";
import { type Column, DataTable, numeric } from "../../parts/table";
import { numbered } from "../../parts/picks";
import type { ViewProps } from "../view";
import { bytesOf, type Shown } from "./shown";

const CAPTION =
  "Each content once. Twice: files beyond the first of the same content. Wasted: files that an upper layer replaces or " +
  "removes; a pull takes them too.";

type ImageFigures = OverlapFigures["summary"]["images"][number];

/** The bytes of an image's contents, each once, by what other images have of them. */
function partsOf(image: ImageFigures, shown: Shown): Part[] {
  const shared = bytesOf(shown, image.shared.bytes);
  const all = bytesOf(shown, image.distinctChunks.bytes);
  const unique = bytesOf(shown, image.uniqueChunks.bytes);
  // A file may repeat a chunk of its own, so that what is shared by chunks can be a little less than by files.
  const whole = Math.min(shared, all - unique);
  return [
    { ...STATES.shared, name: "Shared files", value: whole },
    { ...STATES.partly, name: "Shared chunks of other files", value: all - unique - whole },
    { ...STATES.unique, name: "Unique", value: unique },
  ];
}

interface HoldingsProps extends Pick<ViewProps, "images" | "route" | "go"> {
  figures: OverlapFigures;
  shown: Shown;
}

export function HoldingsPart({ figures, shown, images, route, go }: HoldingsProps) {
  const rows = useMemo(
    () => figures.summary.images.map((summary, image) => ({ summary, image, parts: partsOf(summary, shown) })),
    [figures, shown],
  );
  type Row = (typeof rows)[number];
  const all = (row: Row) => bytesOf(shown, row.summary.distinctChunks.bytes);
  const most = Math.max(...rows.map(all), 1);
  const part = (index: number): Pick<Column<Row>, "value" | "sort" | "numeric"> => ({
    numeric: true,
    value: (row) => `${bytes(row.parts[index]?.value ?? 0)}, ${percent(row.parts[index]?.value ?? 0, all(row))}`,
    sort: (row) => row.parts[index]?.value ?? 0,
  });
  const wasted = (row: Row) => bytesOf(shown, row.summary.wasted.bytes);
  const twice = (row: Row) => bytesOf(shown, row.summary.duplicates.bytes);
  const files = (row: Row) => bytesOf(shown, row.summary.files.bytes);
  const columns: Column<Row>[] = [
    {
      name: "Image",
      value: ({ image }) => (
        <RouteLink at={{ route, go }} to={{ view: "tree", image, path: "" }}>
          {numbered(images, image)}
        </RouteLink>
      ),
    },
    {
      name: "Picture",
      value: ({ image, parts }) => (
        <div class="cell-bar wide">
          <Bar label={`Image ${image + 1}`} total={most} parts={parts} />
        </div>
      ),
    },
    numeric("Bytes", all, bytes),
    { name: "Shared files", ...part(0) },
    { name: "Shared chunks", ...part(1) },
    { name: "Unique", ...part(2) },
    numeric("Twice", twice, bytes),
    {
      name: "Wasted",
      numeric: true,
      value: (row) => `${bytes(wasted(row))}, ${percent(wasted(row), files(row))}`,
      sort: wasted,
    },
    numeric("Files", (row) => row.summary.files.count),
    numeric("Blobs", (row) => row.summary.blobBytes, bytes),
  ];
  return (
    <section aria-labelledby="overlap-images">
      <h3 id="overlap-images">Each image</h3>
      <Legend parts={partsOf(figures.summary.images[0] as ImageFigures, shown).map(({ value: _, ...meaning }) => meaning)} />
      <DataTable caption={CAPTION} columns={columns} rows={rows} />
    </section>
  );
}
