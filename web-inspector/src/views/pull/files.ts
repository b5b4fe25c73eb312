// A simulation as files.

import { csvLines } from "../../export/csv";
import { jsonText } from "../../export/json";
import type { Text } from "../../export/save";
import { block, cut, el, heading, label, legend, picture } from "../../export/svg";
import { bytes, count, percent } from "../../format";
import { colour } from "../../parts/looks";
import type { ImageInfo } from "../../protocol";
import { plotOf, type Step } from "./plot";
import { type Figures, ORIGINS, type Result } from "./result";
import type { Pull } from "./tables";

export interface Subject {
  images: readonly ImageInfo[];
  result: Result;
  pulls: readonly Pull[];
  sum: Figures;
  steps: readonly Step[];
}

export function jsonFile({ images, result, pulls, sum }: Subject): Text {
  const { having, link } = result.question;
  return jsonText("pull-forecast", {
    having: having.map((image) => images[image]?.name),
    link,
    pulls: pulls.map(({ forecast, figures }) => {
      const { name, digest, platform, layers } = images[forecast.image]!;
      const blobs = forecast.layers.map((layer, number) => {
        const { blob, diffId, blobBytes } = layers[number] ?? {};
        return { blob, diffId, blobBytes, ...layer };
      });
      return { image: name, digest, platform, ...plain(figures), layers: blobs };
    }),
    total: plain(sum),
  });
}

/** The figures alone, of what may hold more. */
function plain(figures: Figures): Figures {
  const { blobBytes, tocBytes, fetchedBytes, wholeBytes, requests, bridgedBytes, reusedBytes, contentBytes, seconds, files } = figures;
  return { blobBytes, tocBytes, fetchedBytes, wholeBytes, requests, bridgedBytes, reusedBytes, contentBytes, seconds, files };
}

export function csvFile({ pulls }: Subject): Text {
  const head = [
    "pull",
    "image",
    "fetched bytes",
    "blob bytes",
    "whole layers bytes",
    "requests",
    "bridged bytes",
    "toc bytes",
    "reused bytes",
    "content bytes",
    "seconds",
    "files",
    ...ORIGINS.map(({ name }) => name.toLowerCase()),
  ];
  const rows = pulls.map(({ name, figures }, number) => [
    number + 1,
    name,
    figures.fetchedBytes,
    figures.blobBytes,
    figures.wholeBytes,
    figures.requests,
    figures.bridgedBytes,
    figures.tocBytes,
    figures.reusedBytes,
    figures.contentBytes,
    figures.seconds,
    figures.files.total,
    ...ORIGINS.map(({ key }) => figures.files[key]),
  ]);
  return csvLines(head, rows);
}

const [WIDTH, CHART, LEFT, LINE] = [900, 300, 240, 26];

/** The chart, and below it where the files of each image come from. */
export function svgFile({ pulls, steps, sum }: Subject): string {
  const title = `Forecast: ${count(pulls.length)} pulls, ${bytes(sum.fetchedBytes)} by file, ${bytes(sum.wholeBytes)} by whole layers`;
  const plot = plotOf(WIDTH, CHART, steps);
  const chart: string[] = [];
  for (const tick of plot.ticks) {
    const y = plot.y(tick);
    chart.push(el("line", { x1: plot.left, y1: y, x2: plot.right, y2: y, stroke: colour("line") }));
    chart.push(label(plot.left - 8, y + 4, bytes(tick), { "text-anchor": "end", fill: colour("faint") }));
  }
  steps.forEach((_, pull) => {
    if (pull === 0 || pull % plot.every !== 0) return;
    chart.push(label(plot.x(pull), plot.bottom + 18, String(pull), { "text-anchor": "middle", fill: colour("faint") }));
  });
  const points = (sum: (step: Step) => number) => steps.map((step, pull) => `${plot.x(pull)},${plot.y(sum(step))}`).join(" ");
  const curve = { fill: "none", "stroke-width": 2 };
  chart.push(el("polyline", { ...curve, points: points((step) => step.whole), stroke: colour("faint"), "stroke-dasharray": "6 4" }));
  chart.push(el("polyline", { ...curve, points: points((step) => step.byFile), stroke: colour("fetched") }));
  // Sums grow, so the upper left corner is free.
  const key = (y: number, name: string, stroke: string, dashes: string) => {
    chart.push(el("line", { x1: plot.left + 12, y1: y, x2: plot.left + 48, y2: y, stroke, "stroke-width": 2, "stroke-dasharray": dashes }));
    chart.push(label(plot.left + 56, y + 4, name));
  };
  key(plot.top + 14, "by whole layers: a layer that is here is not fetched again", colour("faint"), "6 4");
  key(plot.top + 34, "by file", colour("fetched"), "none");
  const bars: string[] = [];
  const most = Math.max(1, ...pulls.map(({ figures }) => figures.files.total));
  let y = CHART + 40;
  pulls.forEach(({ name, figures }, number) => {
    bars.push(label(LEFT - 8, y + 14, cut(`${number + 1}. ${name}`, 34), { "text-anchor": "end" }));
    let x = LEFT;
    for (const { key, name: origin, token, pattern } of ORIGINS) {
      const wide = ((WIDTH - LEFT - 240) * figures.files[key]) / most;
      if (wide > 0) bars.push(block(x, y, wide, 18, token, pattern, `${name}: ${origin} ${count(figures.files[key])}`));
      x += wide;
    }
    const said = `${count(figures.files.total)} files; ${bytes(figures.fetchedBytes)}, ${percent(figures.fetchedBytes, figures.blobBytes)} of its blobs`;
    bars.push(label(x + 8, y + 14, said));
    y += LINE;
  });
  bars.push(...legend(LEFT, y + 8, ORIGINS));
  return picture(WIDTH, y + 36, title, heading(title), el("g", { transform: "translate(0 30)" }, ...chart), ...bars);
}
