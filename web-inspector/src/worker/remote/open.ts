// Images by their reference.

import type { Calls, Opened } from "../../protocol";
import { because, Faults } from "../fault";
import { openFound } from "../image/open";
import type { Session } from "../session";
import type { Task } from "../task";
import { helperImage } from "./helper";
import { readReference } from "./reference";
import { registryImage } from "./registry";

/** Opens an image from its registry, or through the command. */
export async function openRef(session: Session, { ref, via }: Calls["openRef"]["ask"], page: string, task: Task): Promise<Opened> {
  task.progress({ what: `Reading the manifest of ${ref}`, done: 0, total: 0, unit: "layers" });
  const find = async () =>
    via === "helper"
      ? helperImage(page, ref, task)
      : registryImage(readReference(ref), ref, task);
  const image = await find().catch((error: unknown) => {
    throw because(`${ref} cannot be opened.`, error);
  });
  return openFound(session, [image], [], new Faults(), task);
}
