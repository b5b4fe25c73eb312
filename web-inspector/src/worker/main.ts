// The worker: holds the core and the images, and answers the page.

import type { Ask, CallName, Calls, Fault, Tell } from "../protocol";
import { diff } from "./calls/diff";
import { duplicates, overlap } from "./calls/overlap";
import { details, find, search, tree } from "./calls/paths";
import { frame, simulate, strip } from "./calls/simulate";
import { ready } from "./core";
import { Failure, faultOf, isStop } from "./fault";
import { writeExported } from "./files/exported";
import { openFiles } from "./files/open";
import { askHelper } from "./remote/helper";
import { openRef } from "./remote/open";
import { Session } from "./session";
import { Line, type Task } from "./task";

type Answers = {
  [Name in CallName]: (ask: Calls[Name]["ask"], task: Task) => Calls[Name]["answer"] | Promise<Calls[Name]["answer"]>;
};

const session = new Session();
/** Where the page is, from which the helper is reached. */
let page = "";

/** What changes the images, or must not see them change: one after the other. It waits for networks and files. */
const CHANGES: Partial<Answers> = {
  openRef: (ask, task) => openRef(session, ask, page, task),
  openFiles: ({ files }, task) => openFiles(session, files, task),
  close: ({ image }) => session.close(image),
  save: (_ask, { signal }) => writeExported(session, signal),
};

/** What only looks at the images: one after the other, whatever is opened meanwhile. */
const LOOKS: Partial<Answers> = {
  overlap: () => overlap(session),
  duplicates: (ask) => duplicates(session, ask),
  tree: (ask) => tree(session, ask),
  find: (ask) => find(session, ask),
  search: (ask) => search(session, ask),
  details: (ask) => details(session, ask),
  simulate: (ask, task) => simulate(session, ask, task),
  strip: (ask) => strip(session, ask),
  frame: (ask) => frame(session, ask),
  diff: (ask) => diff(session, ask),
};

const QUESTIONS: Partial<Answers> = {
  session: (_ask, task) => askHelper(page, task),
};

const lines: [Line, Partial<Answers>][] = [
  [new Line(), CHANGES],
  [new Line(), LOOKS],
  [new Line(), QUESTIONS],
];
/** Why the core can be used no more. */
let stopped: Fault | undefined;
const running = new Map<number, AbortController>();

self.addEventListener("message", ({ data }: MessageEvent<Ask>) => {
  if (data.call === "page") page = data.base;
  else if (data.call === "cancel") running.get(data.id)?.abort();
  else void answer(data);
});
// Before anybody asks. If it fails, every call fails with it, too.
ready().catch(() => undefined);

async function answer({ id, call, ask }: Exclude<Ask, { call: "cancel" | "page" }>): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  const { signal } = controller;
  const task: Task = { signal, progress: (progress) => tell({ tag: "progress", id, progress }) };
  try {
    await ready();
    const [line, answers] = lines.find(([, answers]) => answers[call]) ?? [];
    // The types of `ask` and `call` belong together, which the compiler cannot see here.
    const work = answers?.[call] as ((ask: unknown, task: Task) => unknown) | undefined;
    if (!line || !work) throw new Error(`there is no call ${JSON.stringify(call)}`);
    const answer = await line.push(signal, () => {
      if (stopped) throw new Failure(stopped);
      return work(ask, task);
    });
    tell({ tag: "answer", id, answer }, buffersOf(answer));
  } catch (error) {
    const fault = faultOf(error);
    tell({ tag: "fault", id, fault });
    // What is in its memory is not to be believed any more, and the page hears of it.
    if (isStop(error) && !stopped) {
      stopped = fault;
      self.reportError(error);
    }
  } finally {
    running.delete(id);
  }
}

function tell(message: Tell, transfer: ArrayBuffer[] = []): void {
  self.postMessage(message, { transfer });
}

/** The memory of the arrays in an answer, which is handed over instead of copied. */
function buffersOf(answer: unknown): ArrayBuffer[] {
  if (typeof answer !== "object" || answer === null) return [];
  const arrays = [answer, ...Object.values(answer)].filter((value) => ArrayBuffer.isView(value));
  return [...new Set(arrays.map(({ buffer }) => buffer))].filter((buffer) => buffer instanceof ArrayBuffer);
}
