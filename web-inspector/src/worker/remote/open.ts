// Images by their reference.

import type { Calls, ImageInfo } from "../../protocol";
import { because, failure } from "../fault";
import { DEFAULT, readPlatform } from "../image/platform";
import { openFound } from "../image/open";
import type { Session } from "../session";
import type { Task } from "../task";
import { helperImage } from "./helper";
import { readReference } from "./reference";
import { registryImage } from "./registry";

/** Opens an image from its registry, or through the command. */
export async function openRef(session: Session, ask: Calls["openRef"]["ask"], page: string, task: Task): Promise<ImageInfo[]> {
  const { ref, via, platform } = ask;
  const wanted = platform === undefined ? DEFAULT : readPlatform(platform);
  if (!wanted) throw failure("input", `${JSON.stringify(platform)} is not a platform.`, { hint: "Write OS/ARCHITECTURE, such as linux/arm64." });
  task.progress({ what: `Reading the manifest of ${ref}`, done: 0, total: 0, unit: "layers" });
  const find = async () =>
    via === "helper"
      ? helperImage(page, ref, task)
      : registryImage(readReference(ref), ref, { wanted, orAny: false }, task);
  const image = await find().catch((error: unknown) => {
    throw because(`${ref} cannot be opened.`, error);
  });
  return openFound(session, [image], [], task);
}
