// A registry that lets pages ask it.

import type { ByteRange } from "@shingle/core";
import { piecesOf, type Bytes } from "../bytes";
import { core, digestOf } from "../core";
import { failure, type Failure } from "../fault";
import { DOCKER, OCI } from "../image/documents";
import { resolve, type Fetch, type FoundImage } from "../image/found";
import { MANIFEST_BYTES } from "../limits";
import type { Answer, Source } from "../source";
import type { Task } from "../task";
import { ask, bodyOf, refused, replyOf, StatusError } from "./http";
import { apiOf, writeReference, type Reference } from "./reference";
import { Tokens } from "./token";

const SCHEMA1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/;

const HINTS = {
  401: "The image is not there, or not for everybody. Run shingle inspect --web instead.",
  403: "The image is not for everybody. Run shingle inspect --web instead.",
  404: "Is the name right, and the tag?",
  429: "The registry has had enough requests from here. Wait, and try again.",
};

/** Finds an image in its registry. */
export async function registryImage(reference: Reference, given: string, task: Task): Promise<FoundImage> {
  const registry = new Registry(reference, given, task.signal);
  const top = await registry.manifest(reference.digest ?? reference.tag ?? "latest");
  if (reference.digest !== undefined && top.digest !== reference.digest) throw another(reference.digest);
  const fetch: Fetch = async (kind, wanted, limit) => {
    if (wanted.size > limit) throw failure("limit", `${wanted.digest} has ${wanted.size} bytes, at most ${limit} are read`);
    const bytes = kind === "manifest" ? (await registry.manifest(wanted.digest)).bytes : await registry.document(wanted.digest, limit);
    if (bytes.length !== wanted.size || digestOf(bytes) !== wanted.digest) throw another(wanted.digest);
    return bytes;
  };
  const found = await resolve(top, "common", fetch, (layer) => registry.blob(layer.digest, layer.size));
  return { name: writeReference(reference), origin: { from: "registry", ref: given }, ...found };
}

function another(digest: string): Failure {
  return failure("lie", `the registry sends another document than ${digest}`);
}

class Registry {
  readonly #api: string;
  readonly #host: string;
  readonly #given: string;
  readonly #signal: AbortSignal;
  readonly #tokens: Tokens;
  /** Whether the registry answered this page before. */
  #answered = false;

  constructor(reference: Reference, given: string, signal: AbortSignal) {
    this.#api = apiOf(reference);
    this.#host = reference.host;
    this.#given = given;
    this.#signal = signal;
    this.#tokens = new Tokens(reference, given, () => this.#unreachable());
  }

  /** Fetches a manifest or an index by tag or digest. */
  async manifest(name: string): Promise<{ bytes: Bytes; digest: string; contentType: string }> {
    // All types in one header would be too long for a request that is made without asking the server first, which
    // many do not answer.
    let response = await this.#manifest(name, OCI).catch((error: unknown) => {
      if (error instanceof StatusError && [404, 406].includes(error.status)) return undefined;
      throw error;
    });
    if (!response || SCHEMA1.test(response.headers.get("content-type") ?? "")) {
      response = await this.#manifest(name, DOCKER).catch((error: unknown) => {
        throw refused(`The registry does not give the manifest ${name}.`, error, HINTS);
      });
    }
    const bytes = await bodyOf(response, MANIFEST_BYTES, "the manifest", this.#signal);
    return { bytes, digest: digestOf(bytes), contentType: response.headers.get("content-type") ?? "" };
  }

  /** Fetches a small blob. */
  async document(digest: string, limit: number): Promise<Bytes> {
    const response = await this.#get(`blobs/${digest}`, {}, this.#signal).catch((error: unknown) => {
      throw refused(`The registry does not give the document ${digest}.`, error, HINTS);
    });
    return bodyOf(response, limit, `the document ${digest}`, this.#signal);
  }

  /** A blob, to be read by range. */
  blob(digest: string, size: number): Source {
    return { open: (range, signal) => this.#open(digest, size, range, signal) };
  }

  async #open(digest: string, size: number, range: ByteRange | undefined, signal: AbortSignal): Promise<Answer | undefined> {
    const headers = range ? { range: core.rangeHeader(range) } : undefined;
    let response: Response;
    try {
      response = await this.#get(`blobs/${digest}`, { ...headers }, signal);
    } catch (error) {
      if (range && error instanceof StatusError) {
        const verdict = core.accept(replyOf(error), range, size);
        if (verdict.tag === "refused" && verdict.val.leavesWhole) return undefined;
      }
      throw refused(`The registry does not give the blob ${digest}.`, error, HINTS);
    }
    const reply = replyOf(response);
    const verdict = range ? core.accept(reply, range, size) : core.acceptWhole(reply, size);
    if (verdict.tag === "refused" || !response.body) {
      await response.body?.cancel();
      if (range && verdict.tag === "refused" && verdict.val.leavesWhole) return undefined;
      throw failure("other", verdict.tag === "refused" ? verdict.val.message : "the answer has no body");
    }
    const all = verdict.tag === "whole";
    const part = range !== undefined && range.end - range.start < size;
    return { start: all ? 0 : verdict.val.start, whole: all && part, pieces: piecesOf(response.body, signal) };
  }

  async #manifest(name: string, types: readonly string[]): Promise<Response> {
    try {
      return await this.#get(`manifests/${name}`, { accept: types.join(",") }, this.#signal);
    } catch (error) {
      if (error instanceof StatusError && [404, 406].includes(error.status)) throw error;
      throw refused(`The registry does not give the manifest ${name}.`, error, HINTS);
    }
  }

  async #get(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const url = `${this.#api}/${path}`;
    for (let tries = 1; ; tries += 1) {
      const token = await this.#tokens.current(signal);
      const all = token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
      try {
        const response = await ask(url, { headers: all, signal }, () => this.#unreachable());
        this.#answered = true;
        return response;
      } catch (error) {
        this.#answered ||= error instanceof StatusError;
        if (!(error instanceof StatusError) || error.status !== 401 || tries === 2) throw error;
        await this.#tokens.renew(error.headers.get("www-authenticate"), token, signal);
      }
    }
  }

  #unreachable(): Failure {
    if (this.#answered) {
      const causes = ["The connection broke, or the registry sends on to a server that does not allow other sites' pages to ask it."];
      return failure("cors", `${this.#host} does not answer any more.`, { causes, hint: `Run: shingle inspect --web ${this.#given}` });
    }
    return failure("cors", `${this.#host} does not answer this page.`, {
      causes: [
        "The browser says no more than that. Either nothing answers there, or the registry does not allow other sites' " +
          "pages to ask it (CORS): most registries do not.",
      ],
      hint: `Run: shingle inspect --web ${this.#given}`,
    });
  }
}
