// What can be chosen of the picture.

import { ImagePick, MeasurePick } from "../../parts/picks";
import { Pick } from "../../shell/pick";
import type { ViewProps } from "../view";

export function Choices({ images, route, go }: ViewProps) {
  return (
    <>
      <ImagePick images={images} value={route.image} onChange={(image) => go({ image })} />
      <MeasurePick value={route.measure} onChange={(measure) => go({ measure })} />
      <Pick
        label="Picture"
        value={route.picture}
        options={[
          { value: "icicle", text: "Icicle" },
          { value: "treemap", text: "Treemap" },
        ]}
        onChange={(picture) => go({ picture })}
      />
      <Pick
        label="Colour"
        value={route.colour}
        options={[
          { value: "split", text: "Each part" },
          { value: "most", text: "What most bytes are" },
        ]}
        onChange={(colour) => go({ colour })}
      />
    </>
  );
}
