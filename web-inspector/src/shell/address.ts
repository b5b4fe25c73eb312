// The address of the page and what it shows, held together.

import { type Route, read, write } from "../route";
import { Watched } from "./watched";

/** Marks the entries of the browser's history that this page wrote. */
const OURS = "shingle";
/** Browsers refuse hundreds of changes of the address within seconds, as a slider makes them. */
const SETTLE_MS = 250;

export class Address extends Watched {
  route: Route = read(location.hash);
  /** Hears of an address that somebody typed, pasted or followed a link to. */
  entered: (route: Route) => void = () => {};
  #late: number | undefined;

  constructor() {
    super();
    this.#replace();
    // Also fires when only the part after `#` is changed by hand.
    addEventListener("popstate", () => this.#popped());
    addEventListener("pagehide", () => this.#settle());
  }

  /** Changes what is shown. `replace`: without a step in the browser's history. */
  go(change: Partial<Route>, replace?: "replace"): void {
    const next = { ...this.route, ...change };
    const same = write(next) === write(this.route);
    this.route = next;
    if (same) return;
    if (replace) {
      this.#late ??= setTimeout(() => this.#settle(), SETTLE_MS);
    } else {
      this.#settle();
      history.pushState(OURS, "", this.#url());
    }
    this.changed();
  }

  #popped(): void {
    clearTimeout(this.#late);
    this.#late = undefined;
    const found = read(location.hash);
    if (history.state === OURS) {
      // Back and forward change what is looked at. They open and close nothing, so the images stay those that are open.
      this.route = { ...found, refs: this.route.refs };
    } else {
      this.route = found;
      this.entered(found);
    }
    this.#replace();
    this.changed();
  }

  #settle(): void {
    if (this.#late === undefined) return;
    clearTimeout(this.#late);
    this.#late = undefined;
    this.#replace();
  }

  #replace(): void {
    history.replaceState(OURS, "", this.#url());
  }

  #url(): string {
    // Without a hash, the URL must say so: an empty one would leave the old hash.
    return write(this.route) || location.pathname + location.search;
  }
}
