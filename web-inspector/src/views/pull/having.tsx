// Which images the machine has.

import { visible } from "../../format";
import type { ImageInfo } from "../../protocol";
import type { Route } from "../../route";
import "./having.css";
import { havingOf } from "./link";

interface HavingProps {
  images: readonly ImageInfo[];
  route: Route;
  go(change: Partial<Route>): void;
}

export function Having({ images, route, go }: HavingProps) {
  const having = new Set(havingOf(route, images));
  const tick = (image: number, here: boolean) => {
    const next = new Set(having);
    if (here) next.add(image);
    else next.delete(image);
    go({ having: [...next].sort((a, b) => a - b) });
  };
  return (
    <fieldset class="having">
      <legend>What the machine has</legend>
      {images.map((info, image) => (
        <label key={image}>
          <input
            type="checkbox"
            checked={having.has(image)}
            onChange={({ currentTarget }) => tick(image, currentTarget.checked)}
          />
          <span>
            Already here: <b>{visible(info.name)}</b>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
