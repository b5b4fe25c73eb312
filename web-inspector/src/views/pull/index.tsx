// What pulls would cost: a machine that has some images pulls the others, one after the other.

import { useMemo, useRef } from "preact/hooks";

import { ExportMenu } from "../../export/menu";
import { FaultNote, ProgressNote } from "../../parts/asked";
import { nameOf } from "../../parts/picks";
import type { ImageInfo } from "../../protocol";
import type { ViewProps } from "../view";
import { Chart } from "./chart";
import { Commands } from "./commands";
import { csvFile, jsonFile, svgFile, type Subject } from "./files";
import { Having } from "./having";
import { havingOf, IN_FLIGHT, linkOf, orderOf } from "./link";
import { Machine } from "./machine";
import { Order } from "./order";
import { cumulated, type Step } from "./plot";
import "./pull.css";
import { figuresOf, type Result, sumOf } from "./result";
import { useSimulation } from "./simulation";
import { FileOrigins, LayerTable, PullTable, Sum } from "./tables";
import { linkWords } from "./words";

export function PullView({ images, route, go, call }: ViewProps) {
  const having = havingOf(route, images);
  const order = orderOf(route, images);
  const link = linkOf(route);
  const { asked, result, stale } = useSimulation(call, images, { having, images: order, link });
  const subject = useMemo(() => result && subjectOf(images, result), [images, result]);
  const chart = useRef<HTMLCanvasElement>(null);
  const fetched = new Map(subject?.pulls.map(({ forecast }) => [forecast.image, forecast.fetchedBytes]));
  return (
    <section class="pull-view">
      <div class="pull-heading">
        <h2>Pull simulator</h2>
        {subject && (
          <ExportMenu
            name="pull-forecast"
            json={() => jsonFile(subject)}
            csv={() => csvFile(subject)}
            svg={() => svgFile(subject)}
            canvas={() => chart.current}
          />
        )}
      </div>
      <p>A forecast: nothing is pulled, and no more is read than was read to open the images.</p>
      <Having images={images} route={route} go={go} />
      <Machine route={route} go={go} />
      <Order {...{ images, having, order, fetched, call }} set={(order) => go({ order })} />
      {asked.fault && <FaultNote fault={asked.fault} again={asked.again} />}
      {stale && !asked.fault && <ProgressNote progress={asked.progress} what="Reckoning the pulls" cancel={asked.cancel} />}
      {subject && !asked.fault && subject.pulls.length > 0 && (
        <div class="pull-result" aria-busy={stale}>
          <h3>Forecast for {linkWords(subject.result.question.link)}</h3>
          <Sum sum={subject.sum} pulls={subject.pulls.length} />
          <NotInIt />
          <Chart images={images} steps={subject.steps} canvasRef={chart} />
          <PullTable pulls={subject.pulls} />
          <FileOrigins pulls={subject.pulls} sum={subject.sum} />
          <LayerTable pulls={subject.pulls} images={images} />
        </div>
      )}
      {order.length > 0 && <Commands {...{ images, having, order, link }} />}
    </section>
  );
}

function NotInIt() {
  return (
    <details class="hint">
      <summary>What is not in these figures</summary>
      <ul>
        <li>Requests that a registry redirects or has repeated, and those for manifests, configs and tokens.</li>
        <li>Files that one layer of an image takes from another of the same image whose pull was over sooner: each layer is planned against what was here before.</li>
        <li>Which ways of sharing a file the machine's file system refuses: a clone that it refuses becomes a copy.</li>
        <li>
          Time for anything but the link: it is reckoned as if all bytes came one after the other, and each {IN_FLIGHT} requests shared a
          round trip. Unpacking, hashing, and that a TOC must come before what it says to fetch, are not in it.
        </li>
      </ul>
    </details>
  );
}

function subjectOf(images: readonly ImageInfo[], result: Result): Subject {
  const pulls = result.forecasts.map((forecast) => ({
    forecast,
    figures: figuresOf(forecast, images),
    name: nameOf(images, forecast.image),
  }));
  const byFile = cumulated(pulls.map(({ figures }) => figures.fetchedBytes));
  const whole = cumulated(pulls.map(({ figures }) => figures.wholeBytes));
  const steps = byFile.map((sum, pull): Step => ({ image: pulls[pull - 1]?.forecast.image ?? -1, byFile: sum, whole: whole[pull]! }));
  return { images, result, pulls, sum: sumOf(pulls.map(({ figures }) => figures)), steps };
}
