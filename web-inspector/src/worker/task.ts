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

  /** Whether it is time for one. */
  get due(): boolean {
    return performance.now() - this.#since >= PATIENCE;
  }

  async take(): Promise<void> {
    if (this.due) {
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

/** Does something for each item, `atOnce` at a time, in order. After an error nothing is begun, and when all that was has ended,
    the error that came first is thrown. */
export async function forEach<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const done: R[] = [];
  let next = 0;
  let failed: { error: unknown } | undefined;
  const worker = async () => {
    while (next < items.length && !failed) {
      const index = next;
      next += 1;
      try {
        done[index] = await work(items[index] as T, index);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  if (failed) throw failed.error;
  return done;
}
