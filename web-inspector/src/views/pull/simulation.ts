// Asks for a simulation whenever what it is made of changes.

import { useEffect, useRef, useState } from "preact/hooks";

import type { Call } from "../../client";
import { type Asked, useAsked } from "../../parts/asked";
import type { ImageInfo, PullForecast, Simulation } from "../../protocol";
import type { Result } from "./result";

/** Changes come in quick succession while somebody drags a slider. */
const PAUSE_MS = 150;

export interface Simulated {
  asked: Asked<PullForecast[]>;
  /** The newest answer, with its question. */
  result: Result | undefined;
  /** Whether a newer one is on its way. */
  stale: boolean;
}

export function useSimulation(call: Call, images: readonly ImageInfo[], question: Simulation): Simulated {
  const text = JSON.stringify(question);
  const [settled, settle] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => settle(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const ask = JSON.parse(settled) as Simulation;
  // The images may have changed a moment before what was settled does.
  const fits = [...ask.images, ...ask.having].every((image) => image < images.length);
  const asked = useAsked(call, "simulate", fits ? ask : undefined, [images, settled]);
  const last = useRef<{ images: readonly ImageInfo[]; result: Result } | undefined>(undefined);
  if (asked.answer) last.current = { images, result: { question: ask, forecasts: asked.answer } };
  // Numbers of images mean others once one was closed.
  const result = last.current?.images === images ? last.current.result : undefined;
  return { asked, result, stale: text !== settled || asked.answer === undefined };
}
