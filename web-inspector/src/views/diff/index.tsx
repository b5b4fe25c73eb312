// What differs between two images.

import { useMemo } from "preact/hooks";

import { count, visible } from "../../format";
import { CHANGES, type DiffArrays } from "../../protocol";
import { ExportMenu } from "../../export/menu";
import { Await, useAsked } from "../../parts/asked";
import { Swatch } from "../../parts/bar";
import { CHANGE_LOOKS } from "../../parts/looks";
import { Nodes } from "../../parts/nodes";
import { ImagePick } from "../../parts/picks";
import { needle, SearchBox } from "../../parts/search";
import type { ViewProps } from "../view";
import { type Change, Changes } from "./changes";
import { diffCsv, diffJson, diffSvg } from "./files";
import { List } from "./list";
import { Summary } from "./summary";
import "./diff.css";

export function DiffView(view: ViewProps) {
  const { images, route, go, call } = view;
  // Two different images, as long as there are two: the shell sees to that.
  const { image: old, other: now } = route;
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
  return (
    <div class="diff-view">
      <h2>Difference</h2>
      <div class="row">
        <ImagePick
          label="From"
          images={images}
          value={old}
          onChange={(image) => go({ image, other: image === now ? old : now })}
        />
        <ImagePick label="To" images={images} value={now} onChange={(other) => go({ image: other === old ? now : old, other })} />
        <button type="button" onClick={() => go({ image: now, other: old })}>
          Swap
        </button>
      </div>
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
  const { without } = route;
  const text = needle(route.search);
  const rows = useMemo(() => changes.filter(without, text), [changes, without.join(), text]);
  const [before, after] = [images[old], images[now]];
  if (!before || !after) return null;
  const show = (change: Change, shown: boolean) => {
    go({ without: CHANGES.filter((one) => (one === change ? !shown : without.includes(one))) });
  };
  const title = `From ${visible(before.name)} to ${visible(after.name)}`;
  return (
    <>
      <Summary summary={arrays.summary} sums={sums} old={visible(before.name)} />
      <h3>Paths</h3>
      <div class="row">
        <fieldset class="diff-filter">
          <legend>Show</legend>
          {sums.map(({ change, paths }) => (
            <label key={change}>
              <input
                type="checkbox"
                checked={!without.includes(change)}
                onChange={({ currentTarget }) => show(change, currentTarget.checked)}
              />
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
