// The layers of an image as strips of frames, in the order of their blobs: what a pull fetches, bridges, reuses and skips.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { ExportMenu } from "../../export/menu";
import { counted, short, visible } from "../../format";
import { FaultNote, ProgressNote } from "../../parts/asked";
import { RouteLink } from "../../parts/link";
import { ImagePick } from "../../parts/picks";
import { Pick } from "../../shell/pick";
import { Having } from "../pull/having";
import { havingOf, linkOf } from "../pull/link";
import { linkWords } from "../pull/words";
import type { ViewProps } from "../view";
import { FrameBook } from "./book";
import { Chosen } from "./chosen";
import { Detail, type Shown } from "./detail";
import { csvFile, jsonFile, type Subject, svgFile } from "./files";
import "./layers.css";
import { States } from "./legend";
import { Overview } from "./overview";
import { Runs } from "./runs";
import { useStrips } from "./strips";
import { frameWords, ofFrame, useInfo } from "./words";

/** While a pointer sweeps over the picture, what it rests on so long is looked up. */
const REST_MS = 60;

export function LayersView(props: ViewProps) {
  const { images, route, go, call } = props;
  const { image } = route;
  const info = images[image];
  const layers = info?.layers ?? [];
  const layer = Math.max(0, Math.min(route.layer, layers.length - 1));
  const having = havingOf(route, images);
  const link = linkOf(route);
  const strips = useStrips(call, { images, image, layer, having, link });
  const chosenLayer = layers[layer];
  return (
    <section class="layers-view">
      <h2>Layers</h2>
      <div class="row">
        <ImagePick images={images} value={image} onChange={(image) => go({ image, layer: 0 })} />
        <Pick
          label="Layer"
          value={layer}
          options={layers.map(({ blob }, value) => ({ value, text: `${value + 1}: ${short(blob)}` }))}
          onChange={(layer) => go({ layer })}
        />
      </div>
      <Having images={images} route={route} go={go} />
      <p class="hint">
        A forecast for {linkWords(link)}.{" "}
        <RouteLink to={{ view: "pull" }} at={props}>
          Change the link
        </RouteLink>
      </p>
      {strips.busy && <ProgressNote progress={strips.progress} what="Reckoning what a pull does" cancel={strips.cancel} />}
      {info && chosenLayer ? (
        <>
          <h3>{counted(layers.length, "layer")}, the lowest first</h3>
          <Overview layers={layers} strips={strips} chosen={layer} choose={(layer) => go({ layer }, "replace")} />
          <ChosenLayer key={`${image} ${layer}`} {...props} {...{ image, layer, strips }} />
        </>
      ) : (
        <p>This image has no layers.</p>
      )}
    </section>
  );
}

interface ChosenLayerProps extends ViewProps {
  image: number;
  layer: number;
  strips: ReturnType<typeof useStrips>;
}

function ChosenLayer({ images, route, go, call, image, layer, strips }: ChosenLayerProps) {
  const info = images[image]!;
  const frames = strips.chosen;
  const book = useMemo(() => new FrameBook(call, image, layer), [call, images, image, layer]);
  useEffect(() => () => book.close(), [book]);
  // Kept as an offset: what the machine has changes the frames' states, and may change how they are cut.
  const [offset, setOffset] = useState<number>();
  const [hover, setHover] = useState(-1);
  const cursor = frames && offset !== undefined ? frames.at(offset) : -1;
  const chosen = useInfo(book, frames, cursor);
  const rested = useInfo(book, frames, hover, REST_MS);
  const shown = useRef<Shown | null>(null);
  const picture = useRef<HTMLDivElement>(null);

  const [open, setOpen] = useState(false);
  // Its rows do not hang on where the pointer is.
  const table = useMemo(() => {
    if (!frames) return null;
    const show = (frame: number) => {
      setOffset(frames.start(frame));
      picture.current?.querySelector<HTMLElement>("[role=img]")?.focus();
    };
    return <Runs frames={frames} book={book} choose={show} at={{ route, go }} />;
  }, [frames, book, route, go]);

  const fault = strips.faults.get(layer);
  if (!frames) return fault ? <FaultNote fault={fault} again={strips.again} /> : null;

  const words = (frame: number) => frameWords(frames, frame, frame === hover ? (rested ?? book.known(...ofFrame(frames, frame))) : chosen);
  const choose = (frame: number) => setOffset(frames.start(frame));
  const subject: Subject = {
    image: info,
    layer,
    info: info.layers[layer]!,
    having: havingOf(route, images).map((image) => images[image]!.name),
    link: linkOf(route),
    frames,
    book,
  };
  return (
    <>
      <div class="layers-heading">
        <h3>
          Layer {layer + 1} <code>{short(subject.info.blob)}</code>: {counted(frames.count, "frame")}
        </h3>
        <ExportMenu
          name={`${info.name}-layer-${layer + 1}`}
          json={() => jsonFile(subject)}
          csv={() => csvFile(subject)}
          svg={() => svgFile(subject, strips.profiles, shown.current ?? undefined)}
          canvas={() => shown.current?.canvas}
        />
      </div>
      {fault && <FaultNote fault={fault} again={strips.again} />}
      <div ref={picture}>
        <Detail
          frames={frames}
          label={`Layer ${layer + 1} of ${visible(info.name)}, ${counted(frames.count, "frame")} in the order of the blob`}
          cursor={cursor}
          choose={choose}
          words={words}
          hovered={setHover}
          open={() => chosen && go({ view: "file", path: chosen.path })}
          shown={shown}
        />
      </div>
      <Chosen frames={frames} frame={cursor} info={chosen} at={{ route, go }} />
      <States frames={frames} />
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>As a table</summary>
        {open && table}
      </details>
    </>
  );
}
