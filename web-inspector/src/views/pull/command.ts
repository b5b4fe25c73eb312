// The same on the command line.

import { visible } from "../../format";
import type { ImageInfo, Link } from "../../protocol";
import { plain } from "./words";

export interface Command {
  image: number;
  /** What to type. */
  text: string;
  /** Images that the command names by what has to be put in their place: the page does not know where their files lie. */
  unnamed: number[];
}

/** One `shingle plan` for each pull: what was pulled before is given. */
export function commands(images: readonly ImageInfo[], having: readonly number[], order: readonly number[], link: Link): Command[] {
  const refs = images.map(refOf);
  const word = (image: number) => quoted(visible(refs[image] ?? `PLACE OF ${images[image]?.name ?? ""}`));
  return order.map((image, place) => {
    const before = [...having, ...order.slice(0, place)];
    const all = [image, ...before];
    const words = [
      "shingle plan",
      ...(before.length === 0 ? ["--given-nothing"] : before.map((other) => `--given ${word(other)}`)),
      ...costOptions(link),
      ...platformOption(images[image]?.platform),
      ...(all.some((some) => isLoopback(refs[some])) ? ["--tls-verify false"] : []),
      word(image),
    ];
    return { image, text: words.join(" "), unnamed: all.filter((some) => refs[some] === undefined) };
  });
}

/** What `shingle plan` and `shingle pull` need to decide as the page does. */
export function costOptions({ roundTripMs, bytesPerSecond, inFlight }: Link): string[] {
  // The command takes whole milliseconds.
  return [`--round-trip-ms ${Math.round(roundTripMs)}`, `--bandwidth ${plain(bytesPerSecond)}`, `--jobs ${inFlight}`];
}

function refOf({ origin }: ImageInfo): string | undefined {
  // A reference begins with a letter or a digit; what does not would be taken for an option.
  return origin.from !== "file" && /^[A-Za-z0-9]/.test(origin.ref) ? origin.ref : undefined;
}

function platformOption(platform: string | undefined): string[] {
  return platform && /^\w+\/\w+(\/\w+)?$/.test(platform) ? [`--platform ${platform}`] : [];
}

/** Registries there speak plain http. */
function isLoopback(ref: string | undefined): boolean {
  return ref !== undefined && /^(docker:\/\/)?(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?\//.test(ref);
}

/** A word for a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
