import type { ViewProps } from "../view";

export function FileView(_props: ViewProps) {
  return <h2>File</h2>;
}
