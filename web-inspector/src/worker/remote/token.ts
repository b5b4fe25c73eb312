// Tokens for whoever has no account.

import { failure, type Failure } from "../fault";
import { readJson } from "../json";
import { TOKEN_BYTES } from "../limits";
import { readChallenges } from "./challenge";
import { ask, bodyOf, refused } from "./http";
import { isLoopback, type Reference } from "./reference";

/** Where some registries have their tokens; they do not let pages read the header that says so. */
const REALMS: Record<string, { realm: string; service: string }> = {
  "docker.io": { realm: "https://auth.docker.io/token", service: "registry.docker.io" },
  "ghcr.io": { realm: "https://ghcr.io/token", service: "ghcr.io" },
  "quay.io": { realm: "https://quay.io/v2/auth", service: "quay.io" },
};
/** The specification's default; shorter answers are taken for mistakes. In milliseconds. */
const SHORTEST_LIFE = 60_000;
/** A token this close to its end may be refused by the time it arrives. */
const MARGIN = 5_000;

interface Token {
  value: string;
  expires: number;
}

/** The token for one repository. */
export class Tokens {
  readonly #reference: Reference;
  readonly #given: string;
  readonly #unreachable: () => Failure;
  #token: Token | undefined;
  #url: URL | undefined;
  /** A token that is being fetched: many ranges make one request of it. */
  #fetching: Promise<Token> | undefined;

  constructor(reference: Reference, given: string, unreachable: () => Failure) {
    this.#reference = reference;
    this.#given = given;
    this.#unreachable = unreachable;
  }

  /** The token to send; none before the registry ever asked for one. */
  async current(signal: AbortSignal): Promise<string | undefined> {
    if (this.#fetching) await this.#fetching;
    if (this.#token && this.#token.expires <= Date.now()) await this.#fetch(signal);
    return this.#token?.value;
  }

  /** Answers a 401 to a request that carried `stale`. */
  async renew(header: string | null, stale: string | undefined, signal: AbortSignal): Promise<void> {
    if (this.#fetching) await this.#fetching;
    // Another request renewed it meanwhile.
    if (this.#token && this.#token.value !== stale) return;
    this.#url = this.#where(header);
    await this.#fetch(signal);
  }

  #where(header: string | null): URL {
    const { host, repository } = this.#reference;
    const hint = `Run: shingle inspect --web ${this.#given}`;
    const challenges = readChallenges(header ?? "");
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (!bearer && challenges[0]) {
      throw failure("other", `${host} wants a name and a password, which this page does not ask for.`, { hint });
    }
    const known = Object.hasOwn(REALMS, host) ? REALMS[host] : undefined;
    const realm = bearer?.parameters.get("realm") ?? known?.realm;
    if (realm === undefined) {
      const causes = ["It wants a token, but does not let pages read the header that says from where (WWW-Authenticate)."];
      throw failure("cors", `${host} does not tell this page how to get in.`, { causes, hint });
    }
    const url = URL.canParse(realm) ? new URL(realm) : undefined;
    const safe = url && (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.host) && isLoopback(host)));
    if (!safe) throw failure("lie", `${host} sends this page to ${JSON.stringify(realm.slice(0, 200))} for a token`);
    const service = bearer ? bearer.parameters.get("service") : known?.service;
    if (service !== undefined) url.searchParams.set("service", service);
    url.searchParams.set("scope", bearer?.parameters.get("scope") ?? `repository:${repository}:pull`);
    return url;
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    const fetching = this.#ask(signal);
    this.#fetching = fetching;
    // Who waits for it hears of its failure by itself.
    fetching.catch(() => undefined);
    try {
      this.#token = await fetching;
    } finally {
      this.#fetching = undefined;
    }
  }

  async #ask(signal: AbortSignal): Promise<Token> {
    const url = this.#url?.href ?? "";
    const started = Date.now();
    const response = await ask(url, { signal }, this.#unreachable).catch((error: unknown) => {
      throw refused(`There is no token for ${this.#reference.host}/${this.#reference.repository}.`, error, {
        401: `The image is not for everybody. Run: shingle inspect --web ${this.#given}`,
        403: `The image is not for everybody. Run: shingle inspect --web ${this.#given}`,
      });
    });
    const what = "the token server's answer";
    const json = readJson(await bodyOf(response, TOKEN_BYTES, what, signal), what);
    // Both names are in use; some servers leave the other one empty.
    const value = [json.token, json.access_token].find((token) => typeof token === "string" && token !== "");
    if (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value)) throw failure("other", `${what} holds no token`);
    const stated = typeof json.expires_in === "number" ? 1000 * Math.min(json.expires_in, 86_400) : 0;
    return { value, expires: started + Math.max(stated, SHORTEST_LIFE) - MARGIN };
  }
}
