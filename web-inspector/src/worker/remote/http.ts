// Requests that are tried again, and whose failures are explained.

import { collect, piecesOf, type Bytes } from "../bytes";
import { failure, type Failure } from "../fault";
import { isObject } from "../json";
import { ERROR_BYTES } from "../limits";

/** A server answered, but not with what was asked for. */
export class StatusError extends Error {
  constructor(
    readonly status: number,
    readonly headers: Headers,
    /** What the body says, if anything. */
    readonly told: string[],
    readonly hint: string | undefined,
  ) {
    super(`status ${status}`);
  }
}

/** How often a request is made. */
const TRIES = 4;
/** The longest wait that a server is granted, in milliseconds. */
const LONGEST_WAIT = 30_000;
const TRANSIENT = [408, 425, 429, 500, 502, 503, 504];

/** Asks until there is an answer that is not about to change. `unreachable` explains why there is none at all. */
export async function ask(url: string, init: RequestInit, unreachable: () => Failure, most = TRIES): Promise<Response> {
  const { signal } = init;
  for (let tries = 1; ; tries += 1) {
    let response: Response;
    try {
      response = await fetch(url, {
        // What the registry keeps for others must not be known from who asks.
        credentials: "omit",
        referrerPolicy: "no-referrer",
        // Requests are counted: none is answered from here.
        cache: "no-store",
        ...init,
      });
    } catch (error) {
      signal?.throwIfAborted();
      // Browsers do not say whether it was the network, a name that is not known, or CORS.
      throw error instanceof TypeError ? unreachable() : error;
    }
    if (response.ok) return response;
    if (tries === most || !TRANSIENT.includes(response.status)) throw await statusError(response, signal);
    // Unread, it would keep the connection busy.
    response.body?.cancel().catch(() => undefined);
    await wait(delay(tries, response.headers.get("retry-after")), signal);
  }
}

/** The body of an answer, at most `limit` bytes of it. */
export async function bodyOf(response: Response, limit: number, what: string, signal: AbortSignal): Promise<Bytes> {
  return response.body ? collect(piecesOf(response.body, signal), limit, what) : new Uint8Array();
}

/** Milliseconds until the next try. */
function delay(tries: number, retryAfter: string | null): number {
  const own = 500 * 2 ** (tries - 1) * (0.75 + Math.random() / 2);
  const said = retryAfter === null ? Number.NaN : /^\d+$/.test(retryAfter) ? 1000 * Number(retryAfter) : Date.parse(retryAfter) - Date.now();
  return Math.min(Math.max(own, Number.isFinite(said) ? said : 0), LONGEST_WAIT);
}

function wait(milliseconds: number, signal: AbortSignal | null | undefined): Promise<void> {
  return new Promise((resume, stop) => {
    const ended = () => {
      clearTimeout(timer);
      stop(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", ended);
      resume();
    }, milliseconds);
    signal?.addEventListener("abort", ended, { once: true });
  });
}

async function statusError(response: Response, signal: AbortSignal | null | undefined): Promise<StatusError> {
  let told: string[] = [];
  let hint: string | undefined;
  try {
    const body = await bodyOf(response, ERROR_BYTES, "the answer", signal ?? new AbortController().signal);
    const json: unknown = JSON.parse(new TextDecoder().decode(body));
    ({ told, hint } = said(json));
  } catch {
    // What it says is of help only where it can be read.
    signal?.throwIfAborted();
  }
  return new StatusError(response.status, response.headers, told, hint);
}

/** Reads what registries (`errors`) and the helper (`message`, `causes`, `hint`) say. */
function said(json: unknown): { told: string[]; hint: string | undefined } {
  if (!isObject(json)) return { told: [], hint: undefined };
  const text = (value: unknown) => (typeof value === "string" ? value.slice(0, 1000) : "");
  const texts = (values: unknown) => (Array.isArray(values) ? values.slice(0, 20).map(text) : []);
  const errors = Array.isArray(json.errors) ? json.errors.slice(0, 20).filter(isObject) : [];
  const told = [text(json.message), ...texts(json.causes), ...errors.map((error) => text(error.message) || text(error.code))];
  return { told: told.filter(Boolean), hint: text(json.hint) || undefined };
}

/** Makes a fault of an answer that is not what was asked for. */
export function refused(message: string, error: unknown, hints: Partial<Record<number, string>> = {}): unknown {
  if (!(error instanceof StatusError)) return error;
  const { status, told, hint } = error;
  return failure("other", message, { causes: [`The server answered with status ${status}.`, ...told], hint: hint ?? hints[status] });
}

/** Parts of an answer that say what its body is. */
export function replyOf(response: Pick<Response, "status" | "headers">) {
  return {
    status: response.status,
    // Null where the server does not expose it to pages: then the length decides.
    contentRange: response.headers.get("content-range"),
    contentLength: response.headers.get("content-length"),
    contentType: response.headers.get("content-type"),
  };
}
