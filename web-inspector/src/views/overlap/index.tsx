import type { ViewProps } from "../view";

export function OverlapView(_props: ViewProps) {
  return <h2>What the images share</h2>;
}
