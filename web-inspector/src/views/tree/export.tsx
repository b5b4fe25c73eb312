// The tree as files: the picture as it is seen, and the figures of every path.

import { csvLines } from "../../export/csv";
import { jsonLines } from "../../export/json";
import { ExportMenu } from "../../export/menu";
import { nameOf } from "../../parts/picks";
import { theme } from "../../canvas/theme";
import type { TreeProps } from "./index";
import type { Wanted } from "./matches";
import { rows } from "./rows";
import type { Scene } from "./scene";
import { svg } from "./svg";
import { pathOf } from "./words";

export function TreeExport({ images, route, tree, root, wanted, scene }: TreeProps & { wanted: Wanted; scene: Scene }) {
  const info = images[route.image];
  const name = nameOf(images, route.image);
  const title = `${name} ${pathOf(tree, root)}`;
  const head = ["path", "kind", "removed", "files", "bytes", "shared", "partly", "partlyShared", "unique", "wasted"] as const;
  return (
    <ExportMenu
      name={`tree-${name}`}
      json={() =>
        jsonLines(
          "tree",
          { image: info?.name, digest: info?.digest, platform: info?.platform, measure: route.measure, unlocated: tree.arrays.unlocated },
          "paths",
          rows(tree),
        )
      }
      csv={() =>
        csvLines(
          head,
          (function* () {
            for (const row of rows(tree)) yield head.map((key) => row[key]);
          })(),
        )
      }
      svg={() => {
        if (!scene.bitmap) throw new Error("there is no picture");
        return svg(scene.bitmap.layout, wanted, theme(), title);
      }}
      canvas={() => scene.picture(theme(), title)}
    />
  );
}
