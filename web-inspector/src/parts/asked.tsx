// What a view asks of the worker: it waits, can be cancelled, may fail.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";

import { type Call, faultOf } from "../client";
import { bytes, count, visible } from "../format";
import type { CallName, Calls, Fault, Progress } from "../protocol";
import "./asked.css";

/** How a call stands. Neither done nor with a fault it is under way, or nothing was asked. */
export interface Asked<Answer> {
  /** Whether there is an answer, which may be `undefined` by itself. */
  done: boolean;
  answer: Answer | undefined;
  fault: Fault | undefined;
  progress: Progress | undefined;
  /** Ends the call; the fault says so then. */
  cancel(): void;
  /** Asks once more. */
  again(): void;
}

type Stand<Answer> = { of: object; answer?: Answer; fault?: Fault; progress?: Progress };

/**
 * Asks whenever `deps` change, and gives up what was asked before: no answer is shown to another question than its own.
 * With no `ask` nothing is asked. What `ask` is made from belongs in `deps`.
 */
export function useAsked<Name extends CallName>(
  call: Call,
  name: Name,
  ask: Calls[Name]["ask"] | undefined,
  deps: readonly unknown[],
): Asked<Calls[Name]["answer"]> {
  const [tries, setTries] = useState(0);
  // One for each question, so that what is kept of an earlier one is known by it.
  const question = useMemo(() => ({ abort: new AbortController() }), [call, name, tries, ...deps]);
  const [stand, setStand] = useState<Stand<Calls[Name]["answer"]>>({ of: question });

  useEffect(() => {
    if (ask === undefined) return undefined;
    let over = false;
    const set = (change: Omit<Stand<Calls[Name]["answer"]>, "of">) => over || setStand({ of: question, ...change });
    call(name, ask, { signal: question.abort.signal, progress: (progress) => set({ progress }) }).then(
      (answer) => set({ answer }),
      (error: unknown) => set({ fault: faultOf(error) }),
    );
    return () => {
      over = true;
      question.abort.abort();
    };
  }, [question]);

  const now = stand.of === question ? stand : undefined;
  return {
    done: now !== undefined && "answer" in now,
    answer: now?.answer,
    fault: now?.fault,
    progress: now?.progress,
    cancel: () => question.abort.abort(),
    again: () => setTries((tries) => tries + 1),
  };
}

interface AwaitProps<Answer> {
  asked: Asked<Answer>;
  /** What is being done, until the worker says more. */
  what?: string;
  children(answer: Answer): ComponentChildren;
}

/** Shows how far a call is, why it failed, or its answer. */
export function Await<Answer>({ asked, what = "Working", children }: AwaitProps<Answer>) {
  if (asked.done) return <>{children(asked.answer as Answer)}</>;
  if (asked.fault) return <FaultNote fault={asked.fault} again={asked.again} />;
  return <ProgressNote progress={asked.progress} what={what} cancel={asked.cancel} />;
}

/** How far something is. It is not shown before it takes long enough to be read. */
export function ProgressNote({ progress, what = "Working", cancel }: {
  progress: Progress | undefined;
  what?: string;
  cancel?(): void;
}) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 150);
    return () => clearTimeout(timer);
  }, []);
  if (!late) return null;
  const said = visible(progress?.what ?? what);
  const known = progress !== undefined && progress.total > 0;
  return (
    <div class="progress-note">
      <progress aria-label={said} {...(known ? { max: progress.total, value: Math.min(progress.done, progress.total) } : {})} />
      <span>
        {progress && progress.done > 0 ? progressWords(progress) : `${said}…`}
      </span>
      {cancel && (
        <button type="button" onClick={cancel}>
          Cancel
        </button>
      )}
    </div>
  );
}

interface FaultProps {
  fault: Pick<Fault, "message" | "causes" | "hint">;
  /** What failed, where the message does not begin with it; shown before it, and so already `visible`. */
  what?: string;
  /** Of the sentence that says what failed. */
  id?: string;
  /** Asks once more. */
  again?(): void;
  /** Other buttons. */
  children?: ComponentChildren;
}

/** Why something failed, and what to do about it. */
export function FaultNote({ fault, what, id, again, children }: FaultProps) {
  const message = visible(fault.message);
  return (
    <div class="fault" role="alert">
      <p id={id}>
        {what === undefined || message.startsWith(what) ? (
          <strong>{message}</strong>
        ) : (
          <>
            <strong>{what}:</strong> {message}
          </>
        )}
      </p>
      {fault.causes.length > 0 && (
        <ul class="causes" aria-label="Causes">
          {fault.causes.map((cause, index) => (
            <li key={index}>{visible(cause)}</li>
          ))}
        </ul>
      )}
      {fault.hint && <p>{visible(fault.hint)}</p>}
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
      {children}
    </div>
  );
}

/** How far something is, in words: `Reading: 1.2 MiB of 3.0 MiB`. */
export function progressWords({ what, done, total, unit }: Progress): string {
  const figure = unit === "bytes" ? bytes : count;
  const far = total > 0 ? `${figure(done)} of ${figure(total)}` : figure(done);
  return `${visible(what)}: ${far}${unit === "bytes" ? "" : ` ${unit}`}`;
}
