// Brings images into the page: from its address, from what people type, choose and drop.
//
// Whose word is enough for which request:
// - What people type and press Open for is asked for at once.
// - `helper:` references go to the command that serves the page, on this machine. It knows which images it was started with
//   and refuses all others, so an address may name any.
// - `registry:` references in an address make the browser call hosts that a stranger chose. They wait for a button that
//   names these hosts, unless this tab has opened the same reference before (a reload).

import { type Call, CallError, faultOf } from "../client";
import { visible } from "../format";
import type { Fault, ImageInfo } from "../protocol";
import { renumber } from "../route";
import { readReference, writeReference } from "../worker/remote/reference";
import type { Address } from "./address";
import type { Source } from "./files";
import type { Session } from "./session";
import { keep, recall } from "./storage";
import { Watched } from "./watched";

export type Via = "helper" | "registry";
const ALLOWED = "opened";

export class Opener extends Watched {
  /** The command serves the page. */
  readonly helped = document.querySelector('meta[name="shingle-helper"]') !== null;
  /** What the command was asked to show. */
  offered: string[] = [];
  version: string | undefined;
  /** Entries of the address that wait to be allowed. */
  asked: string[] = [];
  /** Nothing of the address is left to be opened. */
  settled = false;
  /** Entries of the address that are not open yet, in order. */
  #pending: string[] = [];

  constructor(
    readonly session: Session,
    readonly address: Address,
  ) {
    super();
    address.entered = ({ refs }) => void this.#load(refs);
  }

  get #call(): Call {
    return this.session.call;
  }

  /** Opens what the address names, or else what the command was asked to show. */
  async start(): Promise<void> {
    let { refs } = this.address.route;
    if (this.helped) {
      try {
        const { version, refs: offered } = await this.#call("session", {});
        this.version = version;
        this.offered = offered;
        if (refs.length === 0) refs = offered.map((ref) => `helper:${ref}`);
      } catch (error) {
        this.session.refuse("The command that serves this page", faultOf(error));
      }
    }
    await this.#load(refs);
    this.settled = true;
    this.changed();
  }

  /** Opens the entries of the address that waited. */
  async allow(): Promise<void> {
    const entries = this.asked;
    this.asked = [];
    this.changed();
    await this.#openAll(entries);
  }

  /** Leaves them unopened. */
  deny(): void {
    const entries = this.asked;
    this.asked = [];
    for (const entry of entries) this.#drop(entry);
    this.changed();
  }

  /** The hosts that the entries that wait would make the browser call. */
  hosts(): string[] {
    return [...new Set(this.asked.map((entry) => hostOf(parse(entry)?.ref ?? "")).filter((host) => host !== undefined))];
  }

  async openRef(ref: string, via: Via): Promise<boolean> {
    if (this.session.images.some(({ origin }) => origin.from === via && same(origin.ref, ref))) {
      this.session.refuse(visible(ref), fault("This image is open already.", "Close it first to read it anew."));
      return false;
    }
    const done = await this.session.open(visible(ref), (options) => this.#call("openRef", { ref, via }, options));
    if (done) this.#write();
    return done;
  }

  /** Opens what was chosen or dropped, one after the other. */
  async openFiles(sources: readonly Source[]): Promise<boolean> {
    let all = sources.length > 0;
    for (const { what, files } of sources) {
      const done = await this.session.open(visible(what), async (options) =>
        this.#call("openFiles", { files: await files(options) }, options),
      );
      all &&= done;
    }
    return all;
  }

  async openExample(): Promise<boolean> {
    return this.session.open("the example", async (options) => {
      const file = await example(options.signal);
      return this.#call("openFiles", { files: [{ path: file.name, file }] }, options);
    });
  }

  async close(image: number): Promise<void> {
    const info = this.session.images[image];
    if (!info || !(await this.session.close(image, visible(info.name)))) return;
    const { route } = this.address;
    const moved = renumber(route, (old) => (old === image ? undefined : old > image ? old - 1 : old));
    this.address.go({ ...moved, image: Math.min(moved.image, Math.max(0, this.session.images.length - 1)) }, "replace");
    this.#write();
  }

  async #load(refs: string[]): Promise<void> {
    const { images } = this.session;
    const open = opened(images);
    const before = (recall("sessionStorage", ALLOWED) ?? "").split("\n");
    const fresh = refs.filter((entry) => !open.includes(entry));
    const free = (entry: string) => !entry.startsWith("registry:") || before.includes(entry);
    const now = fresh.filter(free);
    this.asked = fresh.filter((entry) => !free(entry));
    this.#pending = [...now, ...this.asked];
    // The address counts images in its own order; those that wait come last here.
    const origins = images.map(entryOf);
    this.address.go(
      renumber(this.address.route, (image) => {
        const entry = refs[image];
        if (entry === undefined) return image;
        const at = origins.indexOf(entry);
        return at >= 0 ? at : images.length + this.#pending.indexOf(entry);
      }),
      "replace",
    );
    this.#write();
    this.changed();
    await this.#openAll(now);
  }

  /** One after the other, so that they have the numbers that the address gives them. */
  async #openAll(entries: readonly string[]): Promise<void> {
    for (const entry of entries) {
      const found = parse(entry);
      let done = false;
      if (!found) {
        this.session.refuse(visible(entry), fault("The address names an image in a way that this page does not know.", undefined));
      } else if (found.via === "helper" && !this.helped) {
        this.session.refuse(
          visible(found.ref),
          fault(
            "The address names an image that is to come through the command, which does not serve this page.",
            `Run: shingle inspect --web ${visible(found.ref)}`,
          ),
        );
      } else {
        const { ref, via } = found;
        done = await this.session.open(visible(ref), (options) => this.#call("openRef", { ref, via }, options));
      }
      if (done) {
        this.#pending = this.#pending.filter((other) => other !== entry);
        this.#write();
      } else {
        this.#drop(entry);
      }
    }
  }

  /** Takes an entry that did not open out of the address. */
  #drop(entry: string): void {
    const at = this.#pending.indexOf(entry);
    if (at < 0) return;
    const gone = this.session.images.length + at;
    this.#pending = this.#pending.filter((other) => other !== entry);
    this.address.go(
      renumber(this.address.route, (old) => (old === gone ? undefined : old > gone ? old - 1 : old)),
      "replace",
    );
    this.#write();
  }

  #write(): void {
    const open = opened(this.session.images);
    this.address.go({ refs: [...new Set([...open, ...this.#pending])] }, "replace");
    const allowed = new Set([...(recall("sessionStorage", ALLOWED) ?? "").split("\n"), ...open]);
    keep("sessionStorage", ALLOWED, [...allowed].filter((entry) => entry.startsWith("registry:")).join("\n"));
  }
}

async function example(signal: AbortSignal): Promise<File> {
  try {
    const response = await fetch(new URL("example.tar", document.baseURI), { signal });
    if (!response.ok) throw new Error(`the server says ${response.status}`);
    return new File([await response.blob()], "example.tar");
  } catch (error) {
    signal.throwIfAborted();
    throw new CallError({ ...fault(`The example could not be loaded: ${(error as Error).message}.`, undefined), kind: "other" });
  }
}

/** How the address names an image, unless it came from a file. */
function entryOf({ origin }: ImageInfo): string | undefined {
  return origin.from === "file" ? undefined : `${origin.from}:${origin.ref}`;
}

function opened(images: readonly ImageInfo[]): string[] {
  return [...new Set(images.map(entryOf).filter((entry) => entry !== undefined))];
}

function parse(entry: string): { via: Via; ref: string } | undefined {
  const [, via, ref] = /^(helper|registry):(.+)$/.exec(entry) ?? [];
  return via && ref ? { via: via as Via, ref } : undefined;
}

function fault(message: string, hint: string | undefined): Fault {
  return { message, causes: [], hint, kind: "input" };
}

/** The host that is asked for a reference, unless it is none: then nobody is asked, and opening it says why. */
function hostOf(ref: string): string | undefined {
  try {
    return readReference(ref).host;
  } catch {
    return undefined;
  }
}

/** Whether two references name the same: `alpine` is `docker.io/library/alpine:latest`. */
function same(one: string, other: string): boolean {
  const full = (ref: string) => writeReference(readReference(ref));
  try {
    return one === other || full(one) === full(other);
  } catch {
    return false;
  }
}
