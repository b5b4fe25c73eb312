// In which order to pull the images, where that makes a difference.

import { useMemo } from "preact/hooks";

import { bytes } from "../../format";
import type { OverlapFigures } from "../../protocol";
import { Bar, Legend } from "../../parts/bar";
import { RouteLink } from "../../parts/link";
import type { Look } from "../../parts/looks";
import { type Column, DataTable, numeric } from "../../parts/table";
import { nameOf } from "../../parts/picks";
import type { ViewProps } from "../view";

const BY_FILE: Look = { name: "By file", token: "fetched", pattern: "rising" };
const WHOLE: Look = { name: "Whole blobs", token: "meta", pattern: "upright" };

interface Step {
  place: number;
  image: number;
  bytes: number;
  wholeBytes: number;
  together: number;
}

interface OrderProps extends Pick<ViewProps, "images" | "route" | "go"> {
  figures: OverlapFigures;
}

export function OrderPart({ figures, images, route, go }: OrderProps) {
  const { order } = figures;
  const steps = useMemo(() => stepsOf(order), [order]);
  const most = Math.max(...steps.map((step) => step.bytes), 1);
  const columns: Column<Step>[] = [
    numeric("Pull", (step) => step.place),
    { name: "Image", value: (step) => nameOf(images, step.image), heads: true },
    numeric("Fetches", (step) => step.bytes, bytes),
    numeric("Of these, whole blobs", (step) => step.wholeBytes, bytes),
    { name: "Together", numeric: true, value: (step) => bytes(step.together) },
    {
      name: "Picture",
      value: (step) => (
        <div class="cell-bar">
          <Bar
            label={`Pull ${step.place}`}
            total={most}
            parts={[
              { ...BY_FILE, value: step.bytes - step.wholeBytes },
              { ...WHOLE, value: step.wholeBytes },
            ]}
          />
        </div>
      ),
    },
  ];
  return (
    <section aria-labelledby="overlap-order">
      <h3 id="overlap-order">The order of pulls that costs least</h3>
      <p>
        {bytes(order.bytes)} for all, on a machine that has none of them.{" "}
        {order.exact
          ? "No other order costs less."
          : "With so many images not every order was tried: another may cost a little less."}{" "}
        <span class="hint">
          Frames and whole blobs are counted here; tables of contents, bridged gaps and requests are in the simulator.
        </span>
      </p>
      <Legend parts={[BY_FILE, WHOLE]} />
      <DataTable caption="One pull after the other" columns={columns} rows={steps} />
      <p>
        <RouteLink at={{ route, go }} to={{ view: "pull", having: [], order: order.steps.map((step) => step.image) }}>
          Simulate these pulls
        </RouteLink>
      </p>
    </section>
  );
}

function stepsOf({ steps }: OverlapFigures["order"]): Step[] {
  let together = 0;
  return steps.map((step, index) => {
    together += step.bytes;
    return { ...step, place: index + 1, together };
  });
}
