// What every view gets.

import type { Call } from "../client";
import type { ImageInfo } from "../protocol";
import type { Route } from "../route";

export interface ViewProps {
  /** The images of the session; at least one. A new array whenever they change: use it as a key for what was asked. */
  images: ImageInfo[];
  /** Its numbers of images fit `images`, and `image` and `other` differ where there are two. */
  route: Route;
  /** Changes what is shown, and the address. `replace`: without a step in the browser's history, as for sliders. */
  go(change: Partial<Route>, replace?: "replace"): void;
  call: Call;
}
