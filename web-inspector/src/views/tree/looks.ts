// How the parts look.

import type { Look } from "../../canvas/looks";
import type { PartName } from "./model";

export const looks: Readonly<Record<PartName, Look>> = {
  shared: { name: "Shared", token: "shared", pattern: "solid" },
  partly: { name: "Partly shared", token: "partly", pattern: "dots" },
  unique: { name: "Unique", token: "unique", pattern: "rising" },
  wasted: { name: "Wasted", token: "wasted", pattern: "cross" },
};
