import type { ViewProps } from "../view";

export function LayersView(_props: ViewProps) {
  return <h2>Layers</h2>;
}
