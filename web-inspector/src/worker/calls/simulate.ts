// Pulls that are only simulated.

import type { ForecastFigures, Machine, PolicyChanges } from "@shingle/core";
import type { Calls, ImageIndex, Link, PullForecast, Simulation, Strip } from "../../protocol";
import { core, free, freeing } from "../core";
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
      forecasts.push(freeing(forecast, (made) => pullForecast(image, made.figures())));
      if (index + 1 < images.length) for (const known of session.known(image)) machine.add(known);
    }
    return forecasts;
  } finally {
    free(machine);
  }
}

/** Shows one layer. The forecast stays for the image's other layers, which are asked for next. */
export function strip(session: Session, { image, layer, having, link }: Calls["strip"]["ask"]): Strip {
  const forecast = session.forecast(JSON.stringify([image, having, link]), () =>
    freeing(machineWith(session, having), (machine) => machine.forecast(session.known(image), link.linkMode, policy(link))),
  );
  const found = forecast.strip(layer);
  if (!found) throw failure("input", `the image has no layer ${layer + 1}`);
  return found;
}

/** No entry, or no chunk. */
const NONE = 0xffff_ffff;

export function frame(session: Session, { image, layer, entry, chunk }: Calls["frame"]["ask"]): Calls["frame"]["answer"] {
  return freeing(session.layer(image, layer).toc(), (toc) => {
    const [found] = entry === NONE ? [] : toc.entries(entry, 1);
    if (!found) throw failure("input", `the layer has no entry ${entry}`);
    const path = trimmed(pathText(found.name));
    const node = session.overlap().find(image, pathBytes(path));
    const part = chunk === NONE ? undefined : toc.chunks(entry)[chunk];
    const { offset, len, digest } = part ?? { offset: 0, len: found.size, digest: found.digest };
    return { path, offset, len, digest, node };
  });
}

/** A machine as pulls of these images leave it. */
function machineWith(session: Session, having: ImageIndex[]): Machine {
  const all = [...new Set(having)].flatMap((image) => session.known(image));
  const machine = new core.Machine();
  for (const known of all) machine.add(known);
  return machine;
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
