import type { ViewProps } from "../view";

export function PullView(_props: ViewProps) {
  return <h2>Pull simulator</h2>;
}
