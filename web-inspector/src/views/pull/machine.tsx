// What the link of the machine is like, and how it puts files in place.

import { useEffect, useState } from "preact/hooks";

import type { Route } from "../../route";
import { Pick } from "../../shell/pick";
import { LINK_MODES, MEGABYTES, PRESETS, ROUND_TRIP_MS } from "./link";
import { plain } from "./words";

interface MachineProps {
  route: Route;
  go(change: Partial<Route>, replace?: "replace"): void;
}

/** Sliders go by steps that are equal parts of the value: from 1 to 2 ms is as far as from 100 to 200. */
const STEPS = 200;
const SLOWEST_TRIP = 1_000;
const [THINNEST, THICKEST] = [0.1, 10_000];

export function Machine({ route, go }: MachineProps) {
  const { roundTripMs, megabytesPerSecond } = route;
  const trip = (roundTripMs: number) => go({ roundTripMs }, "replace");
  const width = (megabytesPerSecond: number) => go({ megabytesPerSecond }, "replace");
  return (
    <fieldset class="machine">
      <legend>The link</legend>
      <div class="presets row" role="group" aria-label="Links that are common">
        {PRESETS.map(({ name, ...link }) => (
          <button
            key={name}
            type="button"
            aria-pressed={link.roundTripMs === roundTripMs && link.megabytesPerSecond === megabytesPerSecond}
            title={`${link.roundTripMs} ms, ${link.megabytesPerSecond} MB/s`}
            onClick={() => go(link)}
          >
            {name}
          </button>
        ))}
      </div>
      <div class="machine-figures">
        <Figure
          label="Round trip (ms)"
          sliderLabel="Slider for the round trip"
          value={roundTripMs}
          range={ROUND_TRIP_MS}
          step={1}
          set={trip}
          position={Math.log1p(roundTripMs) / Math.log1p(SLOWEST_TRIP)}
          at={(position) => Math.round(Math.expm1(position * Math.log1p(SLOWEST_TRIP)))}
          said={`${plain(roundTripMs)} milliseconds`}
        />
        <Figure
          label="Bandwidth (MB/s)"
          sliderLabel="Slider for the bandwidth"
          value={megabytesPerSecond}
          range={MEGABYTES}
          step="any"
          set={width}
          position={Math.log(megabytesPerSecond / THINNEST) / Math.log(THICKEST / THINNEST)}
          at={(position) => rounded(THINNEST * (THICKEST / THINNEST) ** position)}
          said={`${plain(megabytesPerSecond)} megabytes a second`}
        />
        <Pick label="Link mode" value={route.linkMode} options={LINK_MODES} onChange={(linkMode) => go({ linkMode })} />
      </div>
    </fieldset>
  );
}

interface FigureProps {
  label: string;
  sliderLabel: string;
  value: number;
  range: { least: number; most: number };
  step: number | "any";
  set(value: number): void;
  /** Where the slider is, from 0 to 1, and what a place on it means. */
  position: number;
  at(position: number): number;
  said: string;
}

function Figure({ label, sliderLabel, value, range, step, set, position, at, said }: FigureProps) {
  const [typed, setTyped] = useState(plain(value));
  // A slider or a preset has moved it; what is being typed means the same and stays.
  useEffect(() => setTyped((typed) => (Number(typed) === value ? typed : plain(value))), [value]);
  const wrong = !valid(typed, range);
  return (
    <div class="figure">
      <label>
        <span>{label}</span>
        <input
          type="number"
          inputMode="decimal"
          min={range.least}
          max={range.most}
          step={step}
          value={typed}
          aria-invalid={wrong}
          onInput={({ currentTarget }) => {
            setTyped(currentTarget.value);
            if (valid(currentTarget.value, range)) set(Number(currentTarget.value));
          }}
          onBlur={() => setTyped(plain(value))}
        />
      </label>
      <input
        type="range"
        aria-label={sliderLabel}
        aria-valuetext={said}
        min={0}
        max={STEPS}
        value={Math.round(STEPS * Math.min(1, Math.max(0, position)))}
        onInput={({ currentTarget }) => set(at(Number(currentTarget.value) / STEPS))}
      />
      {wrong && (
        <span class="hint" role="alert">
          From {plain(range.least)} to {range.most}.
        </span>
      )}
    </div>
  );
}

function valid(typed: string, { least, most }: { least: number; most: number }): boolean {
  const value = Number(typed);
  return typed.trim() !== "" && Number.isFinite(value) && value >= least && value <= most;
}

/** To two digits, so that a slider does not say 9.873. */
function rounded(value: number): number {
  return Number(value.toPrecision(2));
}
