// One image, as long as there is nothing to compare it with, and what any image has more than once.

import type { ComponentChildren } from "preact";

import { bytes, count, counted, short, visible } from "../../format";
import type { Calls, OverlapFigures } from "../../protocol";
import { Await, useAsked } from "../../parts/asked";
import { Figures } from "../../parts/figures";
import { RouteLink } from "../../parts/link";
import { type Column, DataTable, numeric } from "../../parts/table";
import { nameOf } from "../../parts/picks";
import type { ViewProps } from "../view";
import { bytesOf, type Shown } from "./shown";

type Doubled = Calls["duplicates"]["answer"][number];

/** So many are looked at; the biggest. */
const DUPLICATES = 500;

export function SinglePart({ figures, shown, ...view }: ViewProps & { figures: OverlapFigures; shown: Shown }) {
  const [image] = figures.summary.images;
  if (!image) return null;
  const size = (amount: typeof image.files) => bytes(bytesOf(shown, amount.bytes));
  return (
    <>
      <p>
        This is one image: nothing to compare it with yet. Open another one under “Open images” (a second tag of it, or what
        it was built from), and this view says what both share.
      </p>
      <Figures
        figures={[
          {
            name: "Files",
            value: count(image.files.count),
            note: `${size(image.files)} in ${counted(image.layers.length, "layer")}`,
          },
          { name: "Each content once", value: size(image.distinctChunks), note: counted(image.distinctChunks.count, "chunk") },
          {
            name: "Twice",
            value: size(image.duplicates),
            note: `${counted(image.duplicates.count, "file")} beyond the first of the same content`,
          },
          {
            name: "Wasted",
            value: size(image.wasted),
            note: `${counted(image.wasted.count, "file")} that upper layers replace or remove`,
          },
          {
            name: "Blobs",
            value: bytes(image.blobBytes),
            note: image.holeBytes > 0 ? `and ${bytes(image.holeBytes)} of holes, which take nothing` : "as a registry stores them",
          },
        ]}
      />
      <Duplicates {...view} image={0} shown={shown} />
    </>
  );
}

interface DuplicatesProps extends ViewProps {
  image: number;
  shown: Shown;
  /** Shown below the heading. */
  children?: ComponentChildren;
}

/** What an image has more than once. */
export function Duplicates({ images, route, go, call, image, shown, children }: DuplicatesProps) {
  const asked = useAsked(call, "duplicates", { image, limit: DUPLICATES }, [images, image]);
  const size = (one: Doubled) => bytesOf(shown, one.more.bytes);
  const columns: Column<Doubled>[] = [
    {
      name: "Path",
      value: ({ paths: [path, ...others], digest }) =>
        path === undefined ? (
          <>hidden, <code>{short(digest)}</code></>
        ) : (
          <>
            <RouteLink at={{ route, go }} to={{ view: "file", image, path }}>
              {visible(path)}
            </RouteLink>
            {others.length > 0 && ` and ${count(others.length)} more`}
          </>
        ),
      sort: ({ paths }) => paths[0] ?? "",
    },
    numeric("Copies", (one) => one.more.count + 1),
    numeric("Bytes more", size, bytes),
  ];
  return (
    <section aria-labelledby="overlap-duplicates">
      <h3 id="overlap-duplicates">What {nameOf(images, image)} has more than once</h3>
      {children}
      <Await asked={asked} what="Looking for files of the same content">
        {(duplicates) => (
          <DataTable
            caption={
              "Files of the same content, those first that come to most" +
              (duplicates.length === DUPLICATES ? `; the first ${count(DUPLICATES)}` : "")
            }
            columns={columns}
            rows={duplicates}
            page={10}
            empty="No two files of it have the same content."
          />
        )}
      </Await>
    </section>
  );
}
