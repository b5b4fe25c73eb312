import type { ViewProps } from "../view";

export function TreeView(_props: ViewProps) {
  return <h2>Tree</h2>;
}
