// The runs of a layer as a table: frames next to each other that are in one state.

import { useMemo, useState } from "preact/hooks";

import { bytes, count, visible } from "../../format";
import { type Column, DataTable, numeric } from "../../parts/table";
import { RouteLink } from "../../parts/link";
import { Pick as Select } from "../../shell/pick";
import type { ViewProps } from "../view";
import type { FrameBook } from "./book";
import type { Frames } from "./frames";
import { LOOKS } from "./looks";
import { useInfo } from "./words";

interface RunsProps {
  frames: Frames;
  book: FrameBook;
  /** Shows a frame in the picture. */
  choose(frame: number): void;
  /** The view, for links. */
  at: Pick<ViewProps, "route" | "go">;
}

const ALL = -1;

export function Runs({ frames, book, choose, at }: RunsProps) {
  const [state, setState] = useState(ALL);
  const rows = useMemo(() => frames.runsIn(state), [frames, state]);
  const columns: Column<number>[] = [
    {
      name: "Run",
      value: (run) => (
        <button type="button" class="plain" onClick={() => choose(frames.run(run).first)} aria-label={`Show run ${count(run + 1)}`}>
          {count(run + 1)}
        </button>
      ),
      sort: (run) => run,
      numeric: true,
    },
    { name: "State", value: (run) => LOOKS[frames.run(run).state]!.name, sort: (run) => frames.run(run).state },
    numeric("First byte", (run) => frames.run(run).start),
    { name: "Last byte", value: (run) => count(frames.run(run).end - 1), numeric: true },
    numeric("Bytes", (run) => frames.run(run).end - frames.run(run).start, bytes),
    numeric("Frames", (run) => frames.run(run).frames),
    { name: "First path", value: (run) => <FirstPath key={run} {...{ frames, book, run, at }} /> },
  ];
  const states = LOOKS.map((look, value) => ({ value, text: `${look.name} (${count(frames.totals.runs[value]!)})` }));
  return (
    <section class="runs">
      <h3>Runs</h3>
      <div class="row">
        <Select
          label="State"
          value={state}
          options={[{ value: ALL, text: `All (${count(frames.runCount)})` }, ...states]}
          onChange={(state) => setState(Number(state))}
        />
      </div>
      <DataTable
        caption="Runs: neighbouring frames of one state, in the order of the blob"
        columns={columns}
        rows={rows}
        page={100}
        empty="No frame is in this state."
      />
    </section>
  );
}

interface FirstPathProps extends Omit<RunsProps, "choose"> {
  run: number;
}

function FirstPath({ frames, book, run, at }: FirstPathProps) {
  const info = useInfo(book, frames, frames.firstOfFile(frames.run(run)));
  if (!info) return null;
  return (
    <span class="path">
      <RouteLink to={{ view: "file", path: info.path }} at={at}>
        {visible(info.path)}
      </RouteLink>
    </span>
  );
}
