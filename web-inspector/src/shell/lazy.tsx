// The views are loaded when they are first shown, so that the page is there sooner.

import { Component, type ComponentChildren, type FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";

import { FaultNote } from "../parts/asked";
import type { View } from "../route";
import type { ViewProps } from "../views/view";

const LOAD: Record<View, () => Promise<FunctionComponent<ViewProps>>> = {
  overlap: async () => (await import("../views/overlap")).OverlapView,
  tree: async () => (await import("../views/tree")).TreeView,
  layers: async () => (await import("../views/layers")).LayersView,
  pull: async () => (await import("../views/pull")).PullView,
  file: async () => (await import("../views/details")).FileView,
  diff: async () => (await import("../views/diff")).DiffView,
};
const loaded: Partial<Record<View, FunctionComponent<ViewProps>>> = {};

async function load(view: View): Promise<void> {
  loaded[view] ??= await LOAD[view]();
}

/** Loads all views, one by one, so that they are there when they are asked for. */
export async function loadAll(): Promise<void> {
  for (const view of Object.keys(LOAD) as View[]) {
    // It is tried again when the view is shown, and said there.
    await load(view).catch(() => {});
  }
}

export function Lazy({ view, ...props }: ViewProps & { view: View }) {
  const Shown = loaded[view];
  const drawn = Shown !== undefined;
  const [failed, setFailed] = useState<{ view: View; why: string }>();
  const [, draw] = useState({});
  const [tries, setTries] = useState(0);
  useEffect(() => {
    // It may have been loaded since it was drawn, by `loadAll`: then there is all the more something to draw.
    if (drawn) return undefined;
    let shown = true;
    setFailed(undefined);
    load(view).then(
      () => shown && draw({}),
      (error) => shown && setFailed({ view, why: String(error) }),
    );
    return () => {
      shown = false;
    };
  }, [view, drawn, tries]);
  if (Shown) {
    return (
      <Caught key={view}>
        <Shown {...props} />
      </Caught>
    );
  }
  if (failed?.view !== view) return <p class="hint">Loading the view…</p>;
  const fault = { message: "This part of the page could not be loaded.", causes: [failed.why], hint: undefined };
  return <FaultNote fault={fault} again={() => setTries(tries + 1)} />;
}

/** A view that fails leaves the rest of the page alone. */
class Caught extends Component<{ children?: ComponentChildren }, { why?: string }> {
  override state: { why?: string } = {};

  override componentDidCatch(error: unknown): void {
    this.setState({ why: error instanceof Error ? error.message : String(error) });
  }

  override render() {
    const { why } = this.state;
    if (why === undefined) return this.props.children;
    const fault = { message: "This view failed.", causes: [why], hint: "The images are still open, and the other views work." };
    return <FaultNote fault={fault} again={() => this.setState({ why: undefined as never })} />;
  }
}
