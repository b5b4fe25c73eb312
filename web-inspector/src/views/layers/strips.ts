// Asks for the strips of an image's layers: the chosen layer's first, and one at a time, because only its frames are kept.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { type Call, faultOf } from "../../client";
import type { Fault, ImageIndex, ImageInfo, Link, Progress } from "../../protocol";
import { Frames, Profile } from "./frames";

/** Changes come in quick succession while somebody drags a slider. */
const PAUSE_MS = 120;

/** What is known of the layers so far. */
export interface Strips {
  /** The chosen layer's frames. */
  chosen: Frames | undefined;
  /** By layer. */
  profiles: ReadonlyMap<number, Profile>;
  faults: ReadonlyMap<number, Fault>;
  /** Of the layer that is being asked for. */
  progress: Progress | undefined;
  /** Whether something is still asked for. */
  busy: boolean;
  cancel(): void;
  again(): void;
}

export interface Question {
  images: readonly ImageInfo[];
  image: ImageIndex;
  layer: number;
  having: number[];
  link: Link;
}

/** What is known, of which image, and by which question. */
interface Known {
  subject: object;
  question: object;
  layer: number;
  chosen: Frames | undefined;
  profiles: ReadonlyMap<number, Profile>;
  faults: ReadonlyMap<number, Fault>;
  /** The layers that this question was answered for. */
  done: Set<number>;
}

export function useStrips(call: Call, { images, image, layer, having, link }: Question): Strips {
  const [tries, setTries] = useState(0);
  const [progress, setProgress] = useState<Progress>();
  const [busy, setBusy] = useState(true);
  const [, tell] = useState(0);
  const abort = useRef<AbortController | undefined>(undefined);
  const count = images[image]?.layers.length ?? 0;
  const subject = useMemo(() => ({}), [images, image]);
  const question = useMemo(() => ({}), [call, subject, having.join("."), JSON.stringify(link), tries]);
  const known = useRef<Known | undefined>(undefined);

  useEffect(() => {
    const own = new AbortController();
    abort.current = own;
    const { signal } = own;
    // What was known is shown until something newer is: pictures that vanish at each change cannot be compared.
    const before = known.current?.subject === subject ? known.current : undefined;
    const going = before?.question === question ? before : undefined;
    const next: Known = {
      subject,
      question,
      layer,
      chosen: before?.layer === layer ? before.chosen : undefined,
      profiles: before?.profiles ?? new Map(),
      faults: going?.faults ?? new Map(),
      done: going?.done ?? new Set(),
    };
    known.current = next;
    const one = async (number: number) => {
      try {
        const frames = new Frames(await call("strip", { image, layer: number, having, link }, { signal, progress: setProgress }));
        if (known.current !== next) return;
        if (number === layer) next.chosen = frames;
        next.profiles = new Map(next.profiles).set(number, new Profile(frames));
      } catch (error) {
        if (known.current !== next) return;
        next.faults = new Map(next.faults).set(number, faultOf(error));
      }
      next.done.add(number);
      setProgress(undefined);
      tell((told) => told + 1);
    };
    const all = async () => {
      setBusy(true);
      await new Promise((done) => setTimeout(done, before ? PAUSE_MS : 0));
      const others = Array.from({ length: count }, (_, number) => number).filter((number) => !next.done.has(number));
      for (const number of [layer, ...others.filter((number) => number !== layer)]) {
        if (signal.aborted) break;
        if (number < count) await one(number);
      }
      if (known.current === next) setBusy(false);
    };
    void all();
    return () => own.abort();
  }, [question, layer, count]);

  const now = known.current?.subject === subject ? known.current : undefined;
  return {
    chosen: now?.layer === layer ? now.chosen : undefined,
    profiles: now?.profiles ?? new Map(),
    faults: now?.faults ?? new Map(),
    progress,
    busy,
    cancel: () => abort.current?.abort(),
    again: () => setTries((tries) => tries + 1),
  };
}
