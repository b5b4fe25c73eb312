// Why a call failed, for people.

import type { Fault } from "../protocol";

/** An error that says all that a `Fault` does. */
export class Failure extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message);
    this.name = "Failure";
  }
}

interface More {
  causes?: string[];
  hint?: string | undefined;
}

/** Makes an error of a kind. */
export function failure(kind: Fault["kind"], message: string, { causes = [], hint }: More = {}): Failure {
  return new Failure({ message, causes, hint, kind });
}

/** Says what could not be done because of an error. That the core stopped is said by itself. */
export function because(message: string, error: unknown): Error {
  if (isStop(error)) return error;
  const { kind, message: cause, causes, hint } = faultOf(error);
  if (kind === "cancelled") return failure(kind, "Cancelled.");
  return failure(kind, message, { causes: [cause, ...causes], hint });
}

/** Faults that are kept, of more there is only the number. */
const FAULTS = 20;

/** Why some of many did not work, while the others did. */
export class Faults {
  readonly #kept: Fault[] = [];
  #more = 0;

  /** Does something that the rest does without if it fails: then keeps that, and why, and returns nothing. */
  async attempt<T>(failed: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (isStop(error) || faultOf(error).kind === "cancelled") throw error;
      this.keep(because(failed, error));
      return undefined;
    }
  }

  keep(error: unknown): void {
    if (this.#kept.length < FAULTS) this.#kept.push(faultOf(error));
    else this.#more += 1;
  }

  get none(): boolean {
    return this.#kept.length === 0;
  }

  list(): Fault[] {
    if (this.#more === 0) return this.#kept;
    return [...this.#kept, failure("input", `${this.#more} more could not be opened.`).fault];
  }
}

const AGAIN = "Load the page again; what was open must be opened again.";

/** Makes a fault of whatever was thrown. */
export function faultOf(error: unknown): Fault {
  if (error instanceof Failure) return error.fault;
  if (isStop(error)) {
    return { message: "The core stopped, most likely for want of memory.", causes: [error.message], hint: AGAIN, kind: "limit" };
  }
  if (error instanceof DOMException) return ofBrowser(error);
  if (isCore(error)) {
    const kind = error.lie ? "lie" : /limit|too-(deep|large|long|many)/.test(error.code) ? "limit" : "input";
    return { message: error.message, causes: [], hint: undefined, kind };
  }
  // Chrome and Firefox say so when an array cannot be made.
  if (error instanceof RangeError) {
    return { message: "There is not enough memory.", causes: [error.message], hint: AGAIN, kind: "limit" };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { message, causes: [], hint: undefined, kind: "other" };
}

/** Whether the core can be used no more. */
export function isStop(error: unknown): error is WebAssembly.RuntimeError {
  return error instanceof WebAssembly.RuntimeError;
}

function ofBrowser(error: DOMException): Fault {
  switch (error.name) {
    case "AbortError":
      return { message: "Cancelled.", causes: [], hint: undefined, kind: "cancelled" };
    case "NotFoundError":
    case "NotReadableError":
      return {
        message: "A file can no longer be read.",
        causes: [error.message],
        hint: "It was changed or moved since it was chosen: choose it again.",
        kind: "input",
      };
    default:
      return { message: error.message, causes: [], hint: undefined, kind: "other" };
  }
}

/** What the core throws when bytes are not what they should be. */
function isCore(error: unknown): error is Error & { code: string; lie: boolean } {
  return error instanceof Error && "lie" in error && "code" in error && typeof error.code === "string";
}
