// Shows what to type for the same forecast.

import { useMemo, useRef } from "preact/hooks";

import { visible } from "../../format";
import type { ImageInfo, Link } from "../../protocol";
import { say } from "../../shell/say";
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
  const named = found.filter((command) => command.text !== undefined);
  const unnamed = new Set(found.flatMap((command) => (command.text === undefined ? [command.image, ...command.unnamed] : command.unnamed)));
  const text = named.map((command) => command.text).join("\n");
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
      {named.length > 0 && (
        <>
          <pre ref={box} tabIndex={0} role="group" aria-label="Commands">
            {text}
          </pre>
          <div class="row">
            <button type="button" onClick={copy}>
              Copy
            </button>
            {order.length > SHOWN && <span class="hint">The first {SHOWN} pulls.</span>}
          </div>
        </>
      )}
      {unnamed.size > 0 && (
        <p class="hint">
          Not named above, because the page does not know where the files lie that they were opened from:{" "}
          {[...unnamed].map((image) => visible(images[image]?.name ?? "")).join(", ")}. <code>shingle plan</code> takes{" "}
          <code>oci:DIR:TAG</code>, <code>oci-archive:FILE</code>, <code>docker-archive:FILE</code> and <code>dir:DIR</code>, also for{" "}
          <code>--given</code>.
        </p>
      )}
      <p class="hint">
        A pull decides as forecast here if it is told of the same link: <code>shingle pull {costOptions(link).join(" ")}</code>.
      </p>
    </section>
  );
}
