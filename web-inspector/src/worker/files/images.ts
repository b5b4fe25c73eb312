// The images in a folder or a tar, in whatever form they are there.

import { because, failure } from "../fault";
import type { FoundImage } from "../image/found";
import { IMAGES } from "../limits";
import type { Task } from "../task";
import { directoryImage, isDirectory } from "./directory";
import { dockerImages, isDockerArchive } from "./docker";
import { below, rootsOf, type Folder } from "./folder";
import { layoutImages } from "./layout";

/** Folders with a `manifest.json` that are looked into: much that is no image has one. */
const LISTS = 100;

/** Finds all images; `undefined` where nothing says that there are any. `from`: the file that this is, if it is one. */
export async function imagesIn(folder: Folder, from: string, task: Task): Promise<FoundImage[] | undefined> {
  const layouts = rootsOf(folder, "oci-layout");
  // Docker since version 25 writes both forms; a layout has the blobs as they are in the registry.
  if (layouts.length > 0) return inEach(folder, layouts, from, (root, name) => layoutImages(root, name, task));
  const found: FoundImage[] = [];
  for (const path of rootsOf(folder, "manifest.json").slice(0, LISTS)) {
    const root = below(folder, path, nameOf(folder, path));
    if (await isDirectory(root, task)) {
      found.push(...(await inEach(folder, [path], from, async (root, name) => [await directoryImage(root, name, task)])));
    } else if (await isDockerArchive(root, task)) {
      found.push(...(await inEach(folder, [path], from, (root, name) => dockerImages(root, name, task))));
    }
  }
  return found.length > 0 ? found : undefined;
}

async function inEach(
  folder: Folder,
  paths: string[],
  from: string,
  images: (root: Folder, from: string) => Promise<FoundImage[]>,
): Promise<FoundImage[]> {
  const found: FoundImage[] = [];
  for (const path of paths) {
    if (found.length > IMAGES) throw failure("limit", `${folder.name} holds more than ${IMAGES} images`);
    const name = nameOf(folder, path);
    try {
      found.push(...(await images(below(folder, path, name), from || name)));
    } catch (error) {
      // A file is named by who opens it.
      throw from ? error : because(`${name} cannot be opened.`, error);
    }
  }
  return found;
}

function nameOf(folder: Folder, path: string): string {
  return path.slice(path.lastIndexOf("/") + 1) || folder.name;
}
