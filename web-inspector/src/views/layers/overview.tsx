// All layers of the image, each as one strip.

import { useEffect, useState } from "preact/hooks";

import { useSurface } from "../../canvas/surface";
import { bytes, percent, short, visible } from "../../format";
import type { LayerInfo } from "../../protocol";
import { Painter } from "./draw";
import { BRIDGED, FETCHED, type Profile, REUSED } from "./frames";
import type { Strips } from "./strips";

interface OverviewProps {
  layers: readonly LayerInfo[];
  strips: Strips;
  chosen: number;
  choose(layer: number): void;
}

export function Overview({ layers, strips, chosen, choose }: OverviewProps) {
  return (
    <ol class="layer-strips" aria-label="Layers, the lowest first">
      {layers.map((layer, number) => (
        <li key={number}>
          <button type="button" aria-pressed={number === chosen} onClick={() => choose(number)}>
            <span class="layer-strip-name">
              <b>Layer {number + 1}</b> <code>{short(layer.blob)}</code> {bytes(layer.blobBytes)}
              {layer.whole !== undefined && <span class="hint"> pulled whole: {visible(layer.whole)}</span>}
            </span>
            <span class="layer-strip-said">{said(strips, number)}</span>
            <LayerStrip profile={strips.profiles.get(number)} />
          </button>
        </li>
      ))}
    </ol>
  );
}

function said(strips: Strips, number: number): string {
  const fault = strips.faults.get(number);
  if (fault) return visible(fault.message);
  const profile = strips.profiles.get(number);
  if (!profile) return "…";
  const { bytes: sums } = profile.totals;
  const asked = sums[FETCHED]! + sums[BRIDGED]!;
  return `data to fetch ${bytes(asked)} (${percent(asked, profile.blobBytes)}), reused ${bytes(sums[REUSED]!)}`;
}

function LayerStrip({ profile }: { profile: Profile | undefined }) {
  const [painter] = useState(() => new Painter());
  const { canvas, redraw } = useSurface((picture) => {
    if (!profile) return;
    const { width, height } = picture;
    const bytesPerPixel = Math.max(1, profile.blobBytes) / width;
    painter.rows(picture, profile, [{ x: 0, y: 0, width, height, from: 0, bytesPerPixel }]);
  });
  useEffect(redraw, [profile]);
  return <canvas class="surface layer-surface" ref={canvas} aria-hidden="true" />;
}
