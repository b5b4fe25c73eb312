// The page's end of the line to the worker.

import type { Ask, CallName, Calls, Fault, Progress, Tell } from "./protocol";

/** A call failed; `fault` says why. */
export class CallError extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message);
  }
}

export interface CallOptions {
  /** Hears how far the work is. */
  progress?: (progress: Progress) => void;
  /** Ends the call. */
  signal?: AbortSignal;
}

/** Asks the worker. */
export type Call = <Name extends CallName>(
  call: Name,
  ask: Calls[Name]["ask"],
  options?: CallOptions,
) => Promise<Calls[Name]["answer"]>;

interface Waiting {
  answer(answer: never): void;
  fail(error: Error): void;
  progress: ((progress: Progress) => void) | undefined;
}

const CANCELLED: Fault = { message: "Cancelled.", causes: [], hint: undefined, kind: "cancelled" };

/** What to tell of any error. */
export function faultOf(error: unknown): Fault {
  if (error instanceof CallError) return error.fault;
  const message = error instanceof Error ? error.message : String(error);
  // Of the browser's own: files that cannot be read, and what was given up.
  if (error instanceof DOMException) return error.name === "AbortError" ? CANCELLED : { message, causes: [], hint: undefined, kind: "other" };
  return { message: "The page made a mistake.", causes: [message], hint: "Load the page again.", kind: "other" };
}

/** Takes hold of a worker that runs `src/worker/main.ts`. `died` hears when it ends by itself. */
export function connect(worker: Worker, died: (message: string) => void): Call {
  let last = 0;
  const waiting = new Map<number, Waiting>();
  let ended: Fault | undefined;
  const post = (ask: Ask) => worker.postMessage(ask);
  post({ id: 0, call: "page", base: document.baseURI });

  worker.addEventListener("message", ({ data }: MessageEvent<Tell>) => {
    const call = waiting.get(data.id);
    // Cancelled meanwhile.
    if (!call) return;
    if (data.tag === "progress") {
      call.progress?.(data.progress);
      return;
    }
    waiting.delete(data.id);
    if (data.tag === "answer") call.answer(data.answer as never);
    else call.fail(new CallError(data.fault));
  });
  worker.addEventListener("error", (event) => {
    const message = event.message || "the worker could not be started";
    ended = { message: "The core stopped.", causes: [message], hint: "Load the page again.", kind: "other" };
    for (const call of waiting.values()) call.fail(new CallError(ended));
    waiting.clear();
    died(message);
  });

  return (call, ask, { progress, signal } = {}) =>
    new Promise((answer, fail) => {
      // A worker that ended answers nothing.
      const never = ended ?? (signal?.aborted ? CANCELLED : undefined);
      if (never) {
        fail(new CallError(never));
        return;
      }
      last += 1;
      const id = last;
      waiting.set(id, { answer, fail, progress });
      signal?.addEventListener("abort", () => {
        if (!waiting.delete(id)) return;
        post({ id, call: "cancel" });
        fail(new CallError(CANCELLED));
      });
      post({ id, call, ask } as Ask);
    });
}
