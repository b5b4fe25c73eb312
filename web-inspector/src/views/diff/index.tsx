// What differs between two images.

import { useMemo, useState } from "preact/hooks";

import { count, visible } from "../../format";
import { CHANGES, type DiffArrays } from "../../protocol";
import { ExportMenu } from "../../export/menu";
import { Await, useAsked } from "../../parts/asked";
import { Swatch } from "../../parts/bar";
import { CHANGE_LOOKS } from "../../parts/looks";
import { Nodes } from "../../parts/nodes";
import { needle, SearchBox } from "../../parts/search";
import { Pick } from "../../shell/pick";
import type { ViewProps } from "../view";
import { type Change, Changes } from "./changes";
import { diffCsv, diffJson, diffSvg } from "./files";
import { List } from "./list";
import { Summary } from "./summary";
import "./diff.css";

export function DiffView(view: ViewProps) {
  const { images, route, go, call } = view;
  const now = route.image < images.length ? route.image : 0;
  // Two different images, as long as there are two.
  const old = route.other < images.length && route.other !== now ? route.other : now === 0 ? 1 : 0;
  const several = images.length > 1;
  const asked = useAsked(call, "diff", several ? { old, new: now } : undefined, [images, old, now]);
  if (!several) {
    return (
      <>
        <h2>Difference</h2>
        <p>There is one image only. Open another one under “Open images”, and this view says what differs.</p>
      </>
    );
  }
  const options = images.map(({ name }, value) => ({ value, text: `${value + 1}  ${visible(name)}` }));
  return (
    <div class="diff-view">
      <h2>Difference</h2>
      <div class="row">
        <Pick
          label="Compared with"
          value={old}
          options={options}
          onChange={(other) => go({ image: other === now ? old : now, other })}
        />
        <button type="button" onClick={() => go({ image: old, other: now })}>
          Swap
        </button>
        <Pick
          label="Image"
          value={now}
          options={options}
          onChange={(image) => go({ image, other: image === old ? now : old })}
        />
      </div>
      <p class="hint">
        From {options[old]?.text} (old) to {options[now]?.text} (new), as a container sees them.
      </p>
      <Await asked={asked} what="Comparing path by path">
        {(arrays) => <Diff {...view} arrays={arrays} old={old} now={now} />}
      </Await>
    </div>
  );
}

function Diff({ arrays, old, now, ...view }: ViewProps & { arrays: DiffArrays; old: number; now: number }) {
  const { images, route, go, call } = view;
  const renames = arrays.summary.renamed.count > 0;
  // What was renamed has a name in the old image, which only that image's tree tells.
  const tree = useAsked(call, "tree", renames ? { image: old, measure: "logical" } : undefined, [images, old, renames]);
  const changes = useMemo(() => new Changes(arrays, tree.answer && new Nodes(tree.answer)), [arrays, tree.answer]);
  const sums = useMemo(() => new Changes(arrays, undefined).sums(), [arrays]);
  const [wanted, setWanted] = useState<ReadonlySet<Change>>(() => new Set(CHANGES));
  const rows = useMemo(() => changes.filter(wanted, needle(route.search)), [changes, wanted, route.search]);
  const [before, after] = [images[old], images[now]];
  if (!before || !after) return null;
  const toggle = (change: Change) => {
    const next = new Set(wanted);
    if (!next.delete(change)) next.add(change);
    setWanted(next);
  };
  const title = `From ${visible(before.name)} to ${visible(after.name)}`;
  return (
    <>
      <Summary summary={arrays.summary} sums={sums} old={visible(before.name)} now={visible(after.name)} />
      <h3>Paths</h3>
      <div class="row">
        <fieldset class="diff-filter">
          <legend>Show</legend>
          {sums.map(({ change, paths }) => (
            <label key={change}>
              <input type="checkbox" checked={wanted.has(change)} onChange={() => toggle(change)} />
              <Swatch {...CHANGE_LOOKS[change]} />
              {CHANGE_LOOKS[change].letter} {CHANGE_LOOKS[change].name} ({count(paths)})
            </label>
          ))}
        </fieldset>
        <SearchBox value={route.search} onSearch={(search) => go({ search }, "replace")} />
        <ExportMenu
          name="shingle-diff"
          json={() => diffJson(before, after, changes, rows)}
          csv={() => diffCsv(changes, rows)}
          svg={() => diffSvg(title, sums)}
        />
      </div>
      <p role="status" class="hint">
        {count(rows.length)} of {count(changes.length)} paths.
      </p>
      <List changes={changes} rows={rows} old={old} now={now} route={route} go={go} call={call} />
    </>
  );
}
