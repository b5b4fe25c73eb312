// Shows what to type for the same forecast.

import { useMemo, useRef } from "preact/hooks";

import type { ImageInfo, Link } from "../../protocol";
import { say } from "../../shell/say";
import { nameOf } from "../../parts/picks";
import { commands, costOptions } from "./command";

interface CommandsProps {
  images: readonly ImageInfo[];
  having: readonly number[];
  order: readonly number[];
  link: Link;
}

/** So many pulls are spelled out: each names all that came before it. */
const SHOWN = 20;

export function Commands({ images, having, order, link }: CommandsProps) {
  const found = useMemo(
    () => commands(images, having, order.slice(0, SHOWN), link),
    [images, having.join("."), order.join("."), JSON.stringify(link)],
  );
  const unnamed = new Set(found.flatMap((command) => command.unnamed));
  const text = found.map((command) => command.text).join("\n");
  const box = useRef<HTMLPreElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say("Copied.");
    } catch {
      // No clipboard without a secure connection, or without leave: it is marked for copying by hand.
      if (box.current) getSelection()?.selectAllChildren(box.current);
      say("Not copied: the text is marked instead.");
    }
  };
  return (
    <section class="commands">
      <h3>The same on the command line</h3>
      <pre ref={box} tabIndex={0} role="group" aria-label="Commands">
        {text}
      </pre>
      <div class="row">
        <button type="button" onClick={copy}>
          Copy
        </button>
        {order.length > SHOWN && <span class="hint">The first {SHOWN} pulls.</span>}
      </div>
      {unnamed.size > 0 && (
        <p class="hint">
          Put the places of the files in that these images were opened from, which the page does not know:{" "}
          {[...unnamed].map((image) => nameOf(images, image)).join(", ")}. A place is <code>oci:DIR:TAG</code>,{" "}
          <code>oci-archive:FILE</code>, <code>docker-archive:FILE</code> or <code>dir:DIR</code>.
        </p>
      )}
      <p class="hint">
        A pull decides as forecast here if it is told of the same link: <code>shingle pull {costOptions(link).join(" ")}</code>.
      </p>
    </section>
  );
}
