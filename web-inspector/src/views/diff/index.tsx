import type { ViewProps } from "../view";

export function DiffView(_props: ViewProps) {
  return <h2>Difference</h2>;
}
