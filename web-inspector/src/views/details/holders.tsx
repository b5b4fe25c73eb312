// Who else has a file's content.

import { useMemo } from "preact/hooks";

import { counted, visible } from "../../format";
import type { FileDetails } from "../../protocol";
import { Await, useAsked } from "../../parts/asked";
import { RouteLink } from "../../parts/link";
import { type Column, DataTable, numeric } from "../../parts/table";
import { numbered } from "../../parts/picks";
import type { ViewProps } from "../view";

type Holder = FileDetails["holders"][number];

/** Contents among which the copies of a file are looked for; the biggest. */
const DUPLICATES = 10_000;

export function Holders({ images, route, go, image, file }: ViewProps & { image: number; file: FileDetails }) {
  const others = useMemo(() => file.holders.filter((holder) => holder.image !== image), [file, image]);
  if (file.details.digest === undefined) return null;
  const columns: Column<Holder>[] = [
    {
      name: "Image",
      value: (holder) => numbered(images, holder.image),
      sort: (holder) => holder.image,
    },
    {
      name: "First path",
      value: (holder) =>
        holder.path === undefined ? (
          "hidden by an upper layer"
        ) : (
          <RouteLink at={{ route, go }} to={{ view: "file", image: holder.image, path: holder.path }}>
            {visible(holder.path)}
          </RouteLink>
        ),
    },
    numeric("As a file", (holder) => holder.files),
    numeric("As a chunk of a file", (holder) => holder.chunks),
  ];
  return (
    <section aria-labelledby="file-holders">
      <h4 id="file-holders">Who else has it</h4>
      <DataTable
        caption="Images that have all of this content, and how often"
        columns={columns}
        rows={others}
        empty={images.length > 1 ? "No other image has all of it." : "There is no other image to compare with."}
      />
    </section>
  );
}

/** Other paths of the same image with the same content. */
export function Copies({ images, route, go, call, image, file }: ViewProps & { image: number; file: FileDetails }) {
  const { digest } = file.details;
  const files = file.holders.filter((holder) => holder.image === image).reduce((sum, holder) => sum + holder.files, 0);
  const asked = useAsked(call, "duplicates", files > 1 ? { image, limit: DUPLICATES } : undefined, [images, image, files > 1]);
  const copies = useMemo(
    () => (asked.answer?.find((one) => one.digest === digest)?.paths ?? []).filter((path) => path !== file.path),
    [asked.answer, file],
  );
  if (files < 2) return null;
  const columns: Column<string>[] = [
    {
      name: "Path",
      value: (path) => (
        <RouteLink at={{ route, go }} to={{ view: "file", path }}>
          {visible(path)}
        </RouteLink>
      ),
      sort: (path) => path,
    },
  ];
  return (
    <section aria-labelledby="file-copies">
      <h4 id="file-copies">In this image {counted(files, "time")}</h4>
      <Await asked={asked} what="Looking for copies">
        {() => (
          <DataTable
            caption="Other paths of this image with the same content"
            columns={columns}
            rows={copies}
            empty="The other copies are hidden by upper layers, or too small to be listed."
          />
        )}
      </Await>
    </section>
  );
}
