// Pulls that are only simulated.

import type { ForecastFigures, ImageForecast, Machine, PolicyChanges } from "@shingle/core";
import type { Calls, ImageIndex, Link, PullForecast, Simulation, Strip } from "../../protocol";
import { core } from "../core";
import { failure } from "../fault";
import { IMAGES } from "../limits";
import type { Session } from "../session";
import { trimmed } from "./paths";
import { pathBytes, pathText } from "../text";

export function simulate(session: Session, { having, images, link }: Simulation): PullForecast[] {
  if (images.length > IMAGES) throw failure("limit", `at most ${IMAGES} pulls are simulated`);
  return withMachine(session, having, (machine) =>
    images.map((image) => {
      const forecast = machine.forecast(session.known(image), link.linkMode, policy(link));
      const figures = forecast.figures();
      forecast.free();
      pulled(session, machine, image);
      return pullForecast(image, figures);
    }),
  );
}

export function strip(session: Session, { image, layer, having, link }: Calls["strip"]["ask"]): Strip {
  return withMachine(session, having, (machine) => {
    const forecast: ImageForecast = machine.forecast(session.known(image), link.linkMode, policy(link));
    const found = forecast.strip(layer);
    forecast.free();
    if (!found) throw failure("input", `the image has no layer ${layer + 1}`);
    return found;
  });
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

function withMachine<T>(session: Session, having: ImageIndex[], work: (machine: Machine) => T): T {
  const machine = new core.Machine();
  try {
    for (const image of new Set(having)) pulled(session, machine, image);
    return work(machine);
  } finally {
    machine.free();
  }
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
