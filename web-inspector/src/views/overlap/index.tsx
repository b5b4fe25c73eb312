// What the images share, at a glance.

import { useMemo, useRef } from "preact/hooks";

import { bytes, counted, percent } from "../../format";
import type { OverlapFigures } from "../../protocol";
import { ExportMenu } from "../../export/menu";
import { Await, useAsked } from "../../parts/asked";
import { Figures } from "../../parts/figures";
import { ImagePick, MeasurePick } from "../../parts/picks";
import { Switch } from "../../parts/switch";
import type { ViewProps } from "../view";
import { matrixCsv, matrixSvg, overlapJson } from "./files";
import { HoldingsPart } from "./holdings";
import { MatrixPart } from "./matrix";
import { OrderPart } from "./order";
import { SharedByPart, SharedFiles, SharedLayers } from "./shared";
import { amountOf, bytesOf, Cells, knownMeasure, type Shown } from "./shown";
import { Duplicates, SinglePart } from "./single";
import "./overlap.css";

export function OverlapView(view: ViewProps) {
  const asked = useAsked(view.call, "overlap", {}, [view.images]);
  return (
    <>
      <h2>What the images share</h2>
      <Await asked={asked} what="Comparing the images">
        {(figures) => <Overlap {...view} figures={figures} />}
      </Await>
    </>
  );
}

function Overlap({ figures, ...view }: ViewProps & { figures: OverlapFigures }) {
  const { images, route, go } = view;
  const { grain, cells: mode } = route;
  const picture = useRef<HTMLCanvasElement>(null);
  const measure = knownMeasure(figures.summary, route.measure);
  const shown = useMemo<Shown>(() => ({ grain, measure }), [grain, measure]);
  const cells = useMemo(() => new Cells(images, figures, shown), [images, figures, shown]);
  const several = images.length > 1;
  const { image } = route;
  return (
    <div class="overlap">
      <div class="row">
        <MeasurePick value={route.measure} onChange={(measure) => go({ measure })} />
        {several && (
          <>
            <Switch
              label="Compare by"
              value={grain}
              options={[
                { value: "files", text: "Files" },
                { value: "chunks", text: "Chunks" },
              ]}
              onChange={(grain) => go({ grain })}
            />
            <Switch
              label="Cells in"
              value={mode}
              options={[
                { value: "bytes", text: "Bytes" },
                { value: "share", text: "%" },
              ]}
              onChange={(cells) => go({ cells })}
            />
          </>
        )}
        <ExportMenu
          name="shingle-overlap"
          json={() => overlapJson(images, figures)}
          {...(several && {
            csv: () => matrixCsv(images, figures),
            svg: () => matrixSvg(cells, mode),
            canvas: () => picture.current,
          })}
        />
      </div>
      {measure !== route.measure && (
        <p role="note">
          Some layers were read whole, so nobody knows what their files take compressed: bytes are uncompressed.
        </p>
      )}
      {several ? (
        <>
          <Top {...view} figures={figures} shown={shown} />
          <MatrixPart cells={cells} mode={mode} picture={picture} route={route} go={go} />
          <HoldingsPart figures={figures} shown={shown} images={images} route={route} go={go} />
          <OrderPart figures={figures} images={images} route={route} go={go} />
          <SharedByPart figures={figures} shown={shown} />
          <SharedLayers figures={figures} images={images} />
          <SharedFiles figures={figures} shown={shown} images={images} route={route} go={go} />
          <Duplicates {...view} image={image} shown={shown}>
            <ImagePick images={images} value={image} onChange={(image) => go({ image })} />
          </Duplicates>
        </>
      ) : (
        <SinglePart {...view} figures={figures} shown={shown} />
      )}
    </div>
  );
}

/** What all images come to. */
function Top({ images, figures, shown }: ViewProps & { figures: OverlapFigures; shown: Shown }) {
  const { summary } = figures;
  const alone = summary.images.reduce(
    (sum, image) => sum + bytesOf(shown, amountOf(shown, image.distinct, image.distinctChunks).bytes),
    0,
  );
  const once = bytesOf(shown, amountOf(shown, summary.distinct, summary.distinctChunks).bytes);
  const [first] = summary.sharedBy;
  const unique = first ? bytesOf(shown, amountOf(shown, first.files, first.chunks).bytes) : 0;
  const saved = Math.max(0, alone - once);
  return (
    <Figures
      figures={[
        { name: "All images, each by itself", value: bytes(alone), note: counted(images.length, "image") },
        { name: "Unique", value: bytes(unique), note: `${percent(unique, once)} of what there is, in one image only` },
        { name: "Shared", value: bytes(once - unique), note: "in several images, counted once" },
        { name: "Saved", value: bytes(saved), note: `${percent(saved, alone)}, when each content is held once` },
      ]}
    />
  );
}
