// The same on the command line.

import type { ImageInfo, Link } from "../../protocol";
import { plain } from "./words";

export interface Command {
  image: number;
  /** What to type; undefined where the page does not know where the image lies. */
  text: string | undefined;
  /** Images that the machine would have, and that the command cannot name. */
  unnamed: number[];
}

/** One `shingle plan` for each pull: what was pulled before is given. */
export function commands(images: readonly ImageInfo[], having: readonly number[], order: readonly number[], link: Link): Command[] {
  const refs = images.map(refOf);
  return order.map((image, place) => {
    const before = [...having, ...order.slice(0, place)];
    const given = before.flatMap((other) => refs[other] ?? []);
    const ref = refs[image];
    const words = [
      "shingle plan",
      ...(before.length === 0 ? ["--given-nothing"] : given.map((ref) => `--given ${quoted(ref)}`)),
      ...costOptions(link),
      ...platformOption(images[image]?.platform),
      ...([ref, ...given].some(isLoopback) ? ["--tls-verify false"] : []),
      quoted(ref ?? ""),
    ];
    return {
      image,
      text: ref === undefined ? undefined : words.join(" "),
      unnamed: before.filter((other) => refs[other] === undefined),
    };
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
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
