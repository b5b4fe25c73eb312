// One call that is being worked on.

import type { Progress } from "../protocol";

/** What work hears of, and tells, the page. */
export interface Task {
  /** Aborted when nobody wants the answer any more. */
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
}

/** Does jobs one after the other, and lets messages in between. */
export class Line {
  #last: Promise<unknown> = Promise.resolve();

  /** Does a job once those before it are done; one that is cancelled meanwhile never begins. */
  push<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
    const job = this.#last.then(async () => {
      await messages();
      signal.throwIfAborted();
      return work();
    });
    this.#last = job.catch(() => undefined);
    return job;
  }
}

/** How long messages may wait, in milliseconds. */
const PATIENCE = 50;

/** For work that hardly ever waits by itself: lets messages in now and then, and ends when it is aborted. */
export class Pauses {
  #since = performance.now();

  constructor(readonly signal: AbortSignal) {}

  async take(): Promise<void> {
    if (performance.now() - this.#since >= PATIENCE) {
      await messages();
      this.#since = performance.now();
    }
    this.signal.throwIfAborted();
  }
}

/** Lets the messages in that came already. */
export function messages(): Promise<void> {
  return new Promise((resume) => setTimeout(resume, 0));
}

/** Does something for each item, `atOnce` at a time, in order; the first error ends it. */
export async function forEach<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const done: R[] = [];
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < items.length && !failed) {
      const index = next;
      next += 1;
      try {
        done[index] = await work(items[index] as T, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(atOnce, items.length) }, worker);
  const ended = await Promise.allSettled(workers);
  for (const end of ended) if (end.status === "rejected") throw end.reason;
  return done;
}
