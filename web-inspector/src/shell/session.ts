// The images that are open, and those that are being opened.

import { type Call, type CallOptions, faultOf } from "../client";
import type { Fault, ImageInfo, Opened, Progress } from "../protocol";
import { say } from "./say";
import { Watched } from "./watched";

/** Images on their way into the page, or why they did not come. */
export interface Opening {
  id: number;
  /** What is opened; for showing. */
  what: string;
  progress: Progress | undefined;
  fault: Fault | undefined;
  /** Cancels it, or takes its fault away. */
  end(): void;
}

export class Session extends Watched {
  /** A new array whenever it changes. */
  images: ImageInfo[] = [];
  openings: Opening[] = [];
  /** Why the worker ended, if it did: nothing works any more. */
  died: string | undefined;
  /** The image that is being closed: that waits for what is being opened. */
  closing: number | undefined;
  #last = 0;

  constructor(readonly call: Call) {
    super();
  }

  /** Runs `work`, which opens images. Says whether it opened all that it should. */
  async open(what: string, work: (options: CallOptions & { signal: AbortSignal }) => Promise<Opened>): Promise<boolean> {
    const abort = new AbortController();
    this.#last += 1;
    const id = this.#last;
    this.openings = [...this.openings, { id, what, progress: undefined, fault: undefined, end: () => abort.abort() }];
    this.changed();
    try {
      const { images, faults } = await work({ progress: (progress) => this.#set(id, { progress }), signal: abort.signal });
      this.#remove(id);
      for (const fault of faults) this.refuse(what, fault);
      if (faults.length === 0 || images.length > this.images.length) {
        say(`Opened ${what}. ${images.length === 1 ? "1 image is" : `${images.length} images are`} open.`);
      }
      this.#take(images);
      return faults.length === 0;
    } catch (error) {
      const fault = faultOf(error);
      if (fault.kind === "cancelled") {
        this.#remove(id);
        say(`Cancelled: ${what}.`);
      } else {
        this.#set(id, { progress: undefined, fault, end: () => this.#remove(id) });
      }
      return false;
    }
  }

  /** Closes an image; those after it move up. One at a time, because the numbers of others change with it. */
  async close(image: number, what: string): Promise<boolean> {
    if (this.closing !== undefined) return false;
    this.closing = image;
    this.changed();
    try {
      const images = await this.call("close", { image });
      this.closing = undefined;
      this.#take(images);
      say(`Closed ${what}.`);
      return true;
    } catch (error) {
      this.closing = undefined;
      this.refuse(what, faultOf(error));
      return false;
    }
  }

  /** Shows a fault that has no opening. */
  refuse(what: string, fault: Fault): void {
    this.#last += 1;
    const id = this.#last;
    this.openings = [...this.openings, { id, what, progress: undefined, fault, end: () => this.#remove(id) }];
    this.changed();
  }

  /** The worker ended. */
  lost(why: string): void {
    this.died = why;
    this.changed();
  }

  #take(images: ImageInfo[]): void {
    this.images = [...images];
    this.changed();
  }

  #set(id: number, change: Partial<Opening>): void {
    this.openings = this.openings.map((opening) => (opening.id === id ? { ...opening, ...change } : opening));
    this.changed();
  }

  #remove(id: number): void {
    this.openings = this.openings.filter((opening) => opening.id !== id);
    this.changed();
  }
}
