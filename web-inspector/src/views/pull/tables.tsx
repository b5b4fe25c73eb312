// The figures of a simulation: for each pull, for each layer, and where files come from.

import { bytes, count, counted, percent, short, visible } from "../../format";
import { Bar, Legend } from "../../parts/bar";
import { type Column, DataTable, numeric } from "../../parts/table";
import type { ImageInfo, PullForecast } from "../../protocol";
import { type Figures, type Files, ORIGINS } from "./result";
import { time } from "./words";

export interface Pull {
  forecast: PullForecast;
  figures: Figures;
  name: string;
}

/** All pulls together, as `shingle plan` sums them up. */
export function Sum({ sum, pulls }: { sum: Figures; pulls: number }) {
  const skipped = Math.max(0, sum.blobBytes - sum.fetchedBytes);
  return (
    <div class="panel pull-sum">
      <p>
        {pulls === 1 ? "The pull" : `The ${count(pulls)} pulls`} would fetch <b>{bytes(sum.fetchedBytes)}</b> of{" "}
        {bytes(sum.blobBytes)} in <b>{counted(sum.requests, "request")}</b>
        {sum.blobBytes > 0 && (
          <>
            , skipping <b>{percent(skipped, sum.blobBytes)}</b>
          </>
        )}
        ; about <b>{time(sum.seconds)}</b>.
      </p>
      <dl>
        <Figure name="Fetched" value={bytes(sum.fetchedBytes)} />
        <Figure name="By whole layers" value={bytes(sum.wholeBytes)} />
        <Figure name="Requests" value={count(sum.requests)} />
        <Figure name="Bridged" value={bytes(sum.bridgedBytes)} />
        <Figure name="For TOCs" value={bytes(sum.tocBytes)} />
        <Figure name="Reused" value={`${bytes(sum.reusedBytes)} of ${bytes(sum.contentBytes)}`} />
        <Figure name="Time on the link" value={time(sum.seconds)} />
      </dl>
    </div>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

export function PullTable({ pulls }: { pulls: readonly Pull[] }) {
  const figure = (name: string, of: (figures: Figures) => number, said: (value: number) => string) =>
    numeric<Pull>(name, ({ figures }) => of(figures), said);
  const columns: Column<Pull>[] = [
    { name: "Image", value: ({ name }) => name, sort: ({ name }) => name },
    figure("Fetched", (one) => one.fetchedBytes, bytes),
    figure("Of", (one) => one.blobBytes, bytes),
    {
      name: "Skipped",
      value: ({ figures }) => percent(Math.max(0, figures.blobBytes - figures.fetchedBytes), figures.blobBytes),
      sort: ({ figures }) => (figures.blobBytes > 0 ? 1 - figures.fetchedBytes / figures.blobBytes : 0),
      numeric: true,
    },
    figure("Whole layers", (one) => one.wholeBytes, bytes),
    figure("Requests", (one) => one.requests, count),
    figure("Bridged", (one) => one.bridgedBytes, bytes),
    figure("TOCs", (one) => one.tocBytes, bytes),
    figure("Reused", (one) => one.reusedBytes, bytes),
    figure("Of content", (one) => one.contentBytes, bytes),
    figure("Time", (one) => one.seconds, time),
  ];
  return (
    <section>
      <h3>Each pull</h3>
      <DataTable caption="Forecast of each pull, in order" columns={columns} rows={pulls} />
    </section>
  );
}

const LOOKS = ORIGINS.map(({ name, token, pattern }) => ({ name, token, pattern }));

function partsOf(files: Files) {
  return ORIGINS.map(({ key, name, token, pattern }) => ({ name, value: files[key], token, pattern }));
}

/** So many pulls are drawn; of more, the table tells. */
const BARS = 12;

export function FileOrigins({ pulls, sum }: { pulls: readonly Pull[]; sum: Figures }) {
  const rows = [...pulls.map(({ name, figures }) => ({ name, files: figures.files })), { name: "All pulls", files: sum.files }];
  const most = Math.max(1, ...pulls.map(({ figures }) => figures.files.total));
  const columns: Column<(typeof rows)[number]>[] = [
    { name: "Image", value: (row) => row.name, sort: (row) => row.name },
    numeric("Files", (row) => row.files.total),
    ...ORIGINS.map(({ key, name }) => numeric<(typeof rows)[number]>(name, (row) => row.files[key])),
  ];
  return (
    <section class="file-origins">
      <h3>Where files come from</h3>
      <p class="hint">
        Regular files with content, of layers that are pulled by file. {ORIGINS.map(({ name, meaning }) => `${name}: ${meaning}`).join("; ")}.
      </p>
      <Legend parts={LOOKS} />
      <ul class="origin-bars">
        {pulls.slice(0, BARS).map(({ forecast, name, figures }) => (
          <li key={forecast.image}>
            <span>{name}</span>
            <Bar parts={partsOf(figures.files)} total={most} label={`Files of ${name}`} format={count} />
            <span class="number">{count(figures.files.total)}</span>
          </li>
        ))}
      </ul>
      {pulls.length > BARS && <p class="hint">{counted(pulls.length - BARS, "more pull")} in the table.</p>}
      <details>
        <summary>As a table</summary>
        <DataTable caption="Files by where they come from" columns={columns} rows={rows} />
      </details>
    </section>
  );
}

interface LayerRow {
  pull: Pull;
  number: number;
  blob: string;
  blobBytes: number;
  forecast: PullForecast["layers"][number];
}

export function LayerTable({ pulls, images }: { pulls: readonly Pull[]; images: readonly ImageInfo[] }) {
  const rows = pulls.flatMap((pull) =>
    pull.forecast.layers.map((forecast, number): LayerRow => {
      const info = images[pull.forecast.image]?.layers[number];
      return { pull, number: number + 1, blob: info?.blob ?? "", blobBytes: info?.blobBytes ?? 0, forecast };
    }),
  );
  const columns: Column<LayerRow>[] = [
    { name: "Image", value: (row) => row.pull.name, sort: (row) => row.pull.name },
    numeric("Layer", (row) => row.number),
    { name: "Blob", value: (row) => <code title={row.blob}>{short(row.blob)}</code> },
    numeric("Size", (row) => row.blobBytes, bytes),
    { name: "Mode", value: (row) => row.forecast.mode, sort: (row) => row.forecast.mode },
    numeric("Fetched", (row) => row.forecast.fetchedBytes, bytes),
    numeric("Requests", (row) => row.forecast.requests),
    numeric("Reused", (row) => row.forecast.reusedBytes, bytes),
    { name: "Why", value: (row) => visible(row.forecast.why ?? "") },
  ];
  return (
    <section>
      <h3>Each layer</h3>
      <p class="hint">
        Partial: by file. Whole: front to back, for the reason given. Present: it is here, or further down in the same image.
      </p>
      <DataTable caption="Forecast of each layer" columns={columns} rows={rows} empty="The images have no layers." />
    </section>
  );
}
