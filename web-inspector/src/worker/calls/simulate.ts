// Pulls that are only simulated.

import type { ForecastFigures, ImageForecast, Machine, PolicyChanges } from "@shingle/core";
import type { Calls, ImageIndex, Link, PullForecast, Simulation, Strip } from "../../protocol";
import { core } from "../core";
import { failure } from "../fault";
import { IMAGES } from "../limits";
import type { Session } from "../session";
import { messages, type Task } from "../task";
import { trimmed } from "./paths";
import { pathBytes, pathText } from "../text";

export async function simulate(session: Session, { having, images, link }: Simulation, task: Task): Promise<PullForecast[]> {
  if (images.length > IMAGES) throw failure("limit", `at most ${IMAGES} pulls are simulated`);
  const { closed } = session;
  const machine = machineWith(session, having);
  try {
    const forecasts: PullForecast[] = [];
    for (const [index, image] of images.entries()) {
      if (index > 0) {
        task.progress({ what: "Simulating pulls", done: index, total: images.length, unit: "images" });
        await messages();
        task.signal.throwIfAborted();
        if (session.closed !== closed) throw failure("cancelled", "Images were closed meanwhile.");
      }
      const forecast = machine.forecast(session.known(image), link.linkMode, policy(link));
      forecasts.push(pullForecast(image, forecast.figures()));
      forecast.free();
      if (index + 1 < images.length) pulled(session, machine, image);
    }
    return forecasts;
  } finally {
    machine.free();
  }
}

/** The forecast of the last strip: a page that shows one asks for the image's other layers, too. */
interface Kept {
  closed: number;
  key: string;
  forecast: ImageForecast;
}
let kept: Kept | undefined;

export function strip(session: Session, { image, layer, having, link }: Calls["strip"]["ask"]): Strip {
  const key = JSON.stringify([image, having, link]);
  if (kept && (kept.key !== key || kept.closed !== session.closed)) {
    kept.forecast.free();
    kept = undefined;
  }
  kept ??= { closed: session.closed, key, forecast: forecastOf(session, image, having, link) };
  const found = kept.forecast.strip(layer);
  if (!found) throw failure("input", `the image has no layer ${layer + 1}`);
  return found;
}

function forecastOf(session: Session, image: ImageIndex, having: ImageIndex[], link: Link): ImageForecast {
  const machine = machineWith(session, having);
  try {
    return machine.forecast(session.known(image), link.linkMode, policy(link));
  } finally {
    machine.free();
  }
}

/** No entry, or no chunk. */
const NONE = 0xffff_ffff;

export function frame(session: Session, { image, layer, entry, chunk }: Calls["frame"]["ask"]): Calls["frame"]["answer"] {
  const toc = session.layer(image, layer).toc();
  try {
    const [found] = entry === NONE ? [] : toc.entries(entry, 1);
    if (!found) throw failure("input", `the layer has no entry ${entry}`);
    const path = trimmed(pathText(found.name));
    const node = session.overlap().find(image, pathBytes(path));
    const part = chunk === NONE ? undefined : toc.chunks(entry)[chunk];
    const { offset, len, digest } = part ?? { offset: 0, len: found.size, digest: found.digest };
    return { path, offset, len, digest, node };
  } finally {
    toc.free();
  }
}

function machineWith(session: Session, having: ImageIndex[]): Machine {
  const machine = new core.Machine();
  for (const image of new Set(having)) pulled(session, machine, image);
  return machine;
}

/** Leaves the machine as a pull does. */
function pulled(session: Session, machine: Machine, image: ImageIndex): void {
  for (const known of session.known(image)) machine.add(known);
}

function policy({ roundTripMs, bytesPerSecond, inFlight }: Link): PolicyChanges {
  const count = (value: number, least: number, most: number) =>
    Math.round(Math.min(Math.max(Number.isFinite(value) ? value : least, least), most));
  return {
    cost: {
      roundTripUs: count(roundTripMs * 1000, 0, 60_000_000),
      bytesPerSecond: count(bytesPerSecond, 1, 1e12),
      inFlight: count(inFlight, 1, 1000),
    },
  };
}

function pullForecast(image: ImageIndex, { total, layers, seconds }: ForecastFigures): PullForecast {
  return {
    ...total,
    image,
    seconds,
    layers: layers.map(({ mode, why, fetchedBytes, requests, reusedBytes }) => ({
      mode,
      why,
      fetchedBytes,
      requests,
      reusedBytes,
    })),
  };
}
