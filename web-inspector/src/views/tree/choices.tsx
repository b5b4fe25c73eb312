// What can be chosen of the picture.

import { useState } from "preact/hooks";

import { visible } from "../../format";
import { Pick } from "../../shell/pick";
import type { ViewProps } from "../view";
import type { Colouring } from "./draw";

interface ChoicesProps {
  images: ViewProps["images"];
  route: ViewProps["route"];
  go: ViewProps["go"];
  image: number;
  colouring: Colouring;
  setColouring(colouring: Colouring): void;
}

export function Choices({ images, image, route, go, colouring, setColouring }: ChoicesProps) {
  return (
    <>
      <Pick
        label="Image"
        value={image}
        options={images.map(({ name }, value) => ({ value, text: visible(name) }))}
        onChange={(image) => go({ image })}
      />
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
        label="Measure"
        value={route.measure}
        options={[
          { value: "compressed", text: "Compressed" },
          { value: "logical", text: "Uncompressed" },
        ]}
        onChange={(measure) => go({ measure })}
      />
      <Pick
        label="Colour"
        value={colouring}
        options={[
          { value: "split", text: "Each part" },
          { value: "most", text: "What most bytes are" },
        ]}
        onChange={setColouring}
      />
    </>
  );
}

/** How rectangles are coloured; kept while the page is open, because it is a matter of taste. */
export function useColouring(): [Colouring, (colouring: Colouring) => void] {
  const [colouring, set] = useState<Colouring>(taste);
  return [
    colouring,
    (chosen) => {
      taste = chosen;
      set(chosen);
    },
  ];
}
let taste: Colouring = "split";
