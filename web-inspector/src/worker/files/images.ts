// The images in a folder or a tar, in whatever form they are there.

import { failure, type Faults } from "../fault";
import type { FoundImage } from "../image/found";
import { IMAGES } from "../limits";
import type { Task } from "../task";
import { directoryImage, isDirectory } from "./directory";
import { dockerImages, isDockerArchive } from "./docker";
import { below, rootsOf, type Folder } from "./folder";
import { layoutImages } from "./layout";

/** Folders with a `manifest.json` that are looked into: much that is no image has one. */
const LISTS = 100;

/** Finds images; `undefined` where nothing says that there are any. `from`: the file that this is, if it is one. `faults` keeps
    why others cannot be opened. */
export async function imagesIn(folder: Folder, from: string, faults: Faults, task: Task): Promise<FoundImage[] | undefined> {
  const layouts = rootsOf(folder, "oci-layout");
  // Docker since version 25 writes both forms; a layout has the blobs as they are in the registry.
  if (layouts.length > 0) return inEach(folder, layouts, from, faults, (root, name) => layoutImages(root, name, faults, task));
  let some = false;
  const found: FoundImage[] = [];
  for (const path of rootsOf(folder, "manifest.json").slice(0, LISTS)) {
    const root = below(folder, path, nameOf(folder, path));
    if (await isDirectory(root, task)) {
      some = true;
      const one = async (root: Folder, name: string) => [await directoryImage(root, name, task)];
      found.push(...(await inEach(folder, [path], from, faults, one)));
    } else if (await isDockerArchive(root, task)) {
      some = true;
      found.push(...(await inEach(folder, [path], from, faults, (root, name) => dockerImages(root, name, faults, task))));
    }
  }
  return some ? found : undefined;
}

async function inEach(
  folder: Folder,
  paths: string[],
  from: string,
  faults: Faults,
  images: (root: Folder, from: string) => Promise<FoundImage[]>,
): Promise<FoundImage[]> {
  if (paths.length > IMAGES) throw failure("limit", `${folder.name} holds ${paths.length} layouts, at most ${IMAGES} are opened`);
  const found: FoundImage[] = [];
  for (const path of paths) {
    if (found.length > IMAGES) throw failure("limit", `${folder.name} holds more than ${IMAGES} images`);
    const name = nameOf(folder, path);
    const some = await faults.attempt(`${from || name} cannot be opened.`, () => images(below(folder, path, name), from || name));
    found.push(...(some ?? []));
  }
  return found;
}

function nameOf(folder: Folder, path: string): string {
  return path.slice(path.lastIndexOf("/") + 1) || folder.name;
}
