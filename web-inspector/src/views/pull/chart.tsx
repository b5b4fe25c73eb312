// Bytes that were fetched after each pull, by file and by whole layers.

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { LiveLine } from "../../canvas/live";
import { type Frame, pointOn, useSurface } from "../../canvas/surface";
import type { Theme } from "../../canvas/theme";
import { bytes, percent } from "../../format";
import { nameOf } from "../../parts/picks";
import { DataTable, numeric } from "../../parts/table";
import type { ImageInfo } from "../../protocol";
import { type Plot, plotOf, type Step } from "./plot";

interface ChartProps {
  images: readonly ImageInfo[];
  /** The first is before any pull. */
  steps: readonly Step[];
  canvasRef: RefObject<HTMLCanvasElement | null>;
}

export function Chart({ images, steps, canvasRef }: ChartProps) {
  const [chosen, choose] = useState(-1);
  const pulls = steps.length - 1;
  const plot = useRef<Plot>(undefined);
  const { canvas, redraw } = useSurface((frame) => {
    plot.current = plotOf(frame.width, frame.height, steps);
    draw(frame, plot.current, steps, chosen);
    canvasRef.current = canvas.current;
  });
  useEffect(redraw, [steps, chosen]);
  const near = (event: PointerEvent) => {
    const at = plot.current;
    if (!at) return;
    const place = Math.round((pulls * (pointOn(event).x - at.left)) / (at.right - at.left));
    choose(Math.min(pulls, Math.max(0, place)));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const to = { ArrowRight: chosen + 1, ArrowLeft: chosen - 1, Home: 0, End: pulls }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    choose(Math.min(pulls, Math.max(0, to)));
  };
  const imageOf = (step: number) => nameOf(images, steps[step]?.image ?? -1);
  const words = (step: number): string => {
    const { byFile, whole } = steps[step]!;
    const saved = `${bytes(byFile)} by file, ${bytes(whole)} by whole layers`;
    if (step === 0) return `Before the first pull: ${saved}.`;
    return `After pull ${step} of ${pulls}, ${imageOf(step)}: ${saved}; ${percent(Math.abs(whole - byFile), whole)} ${byFile > whole ? "more" : "less"}.`;
  };
  return (
    <section class="pull-chart">
      <h3>Bytes fetched, all pulls together</h3>
      <ul class="legend" aria-hidden="true">
        <li>
          <span class="key by-file">●</span> by file
        </li>
        <li>
          <span class="key whole">◻</span> by whole layers, dashed: a layer that is here is not fetched again
        </li>
      </ul>
      <canvas
        class="surface chart-surface"
        ref={canvas}
        role="img"
        tabIndex={0}
        aria-label={`Bytes fetched after each of ${pulls} pulls, by file and by whole layers. Arrow keys go from pull to pull.`}
        onKeyDown={onKeyDown}
        onPointerMove={near}
        onPointerDown={near}
      />
      <LiveLine words={chosen >= 0 && chosen <= pulls ? words(chosen) : words(pulls)} />
      <details>
        <summary>As a table</summary>
        <DataTable
          caption="Bytes fetched after each pull"
          columns={[
            numeric("Pull", (step: number) => step),
            { name: "Image", value: imageOf, sort: imageOf, heads: true },
            numeric("By file", (step: number) => steps[step]!.byFile, bytes),
            numeric("By whole layers", (step: number) => steps[step]!.whole, bytes),
          ]}
          rows={Array.from({ length: pulls }, (_, step) => step + 1)}
        />
      </details>
    </section>
  );
}

function draw({ context, theme, width }: Frame, plot: Plot, steps: readonly Step[], chosen: number): void {
  const pulls = steps.length - 1;
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.lineWidth = 1;
  context.strokeStyle = theme.line;
  context.fillStyle = theme.faint;
  for (const tick of plot.ticks) {
    line(context, plot.left, plot.y(tick), plot.right, plot.y(tick));
    context.fillText(bytes(tick), plot.left - 8, plot.y(tick));
  }
  context.textAlign = "center";
  for (let pull = plot.every; pull <= pulls; pull += plot.every) {
    context.fillText(String(pull), Math.min(width - 10, plot.x(pull)), plot.bottom + 14);
  }
  if (chosen >= 0 && chosen <= pulls) {
    context.strokeStyle = theme.accent;
    line(context, plot.x(chosen), plot.top, plot.x(chosen), plot.bottom);
  }
  const area = new Path2D();
  steps.forEach(({ byFile }, pull) => area.lineTo(plot.x(pull), plot.y(byFile)));
  area.lineTo(plot.x(pulls), plot.bottom);
  area.lineTo(plot.x(0), plot.bottom);
  context.globalAlpha = 0.25;
  context.fillStyle = theme.fetched;
  context.fill(area);
  context.globalAlpha = 1;
  curve(context, theme, plot, steps.map(({ whole }) => whole), "whole");
  curve(context, theme, plot, steps.map(({ byFile }) => byFile), "by file");
}

function curve(context: CanvasRenderingContext2D, theme: Theme, plot: Plot, sums: readonly number[], kind: "by file" | "whole"): void {
  const whole = kind === "whole";
  context.strokeStyle = whole ? theme.faint : theme.fetched;
  context.fillStyle = whole ? theme.ground : theme.fetched;
  context.lineWidth = 2;
  context.setLineDash(whole ? [6, 4] : []);
  context.beginPath();
  sums.forEach((sum, pull) => context.lineTo(plot.x(pull), plot.y(sum)));
  context.stroke();
  context.setLineDash([]);
  // With very many pulls marks would hide the lines.
  if (sums.length > 60) return;
  sums.forEach((sum, pull) => {
    const [x, y] = [plot.x(pull), plot.y(sum)];
    context.beginPath();
    if (whole) context.rect(x - 4, y - 4, 8, 8);
    else context.arc(x, y, 4, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  });
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
