// Plans in a worker: the core decides, this only reads ranges of files and of what the server has.
import init, * as core from "./core/shingle.js";

import { httpRead, openLayout } from "./image.mjs";
import { planImage } from "./plan.mjs";

const ready = init();

// A question has an `image` and a list of `given` ones: each `{ ref, layout, files, tag }`, a layout on this server or the
// files of one, and how the image is called in the answer.
self.addEventListener("message", async ({ data: { id, image, given, full, policy } }) => {
  try {
    await ready;
    const others = [];
    for (const other of given) others.push(await open(other));
    const plan = await planImage(core, await open(image), others, { full, policy });
    self.postMessage({ id, answer: JSON.stringify(plan) });
  } catch (error) {
    self.postMessage({ id, error: `${error.name}: ${error.message}` });
  }
});

function open({ ref, layout, files = [], tag }) {
  const get = files.length > 0 ? fromFiles(files) : fromServer(new URL(layout, self.location.href));
  return openLayout(ref ?? tag, tag || undefined, get, sha256);
}

function fromServer(base) {
  return (path, range) => httpRead(core, new URL(path, base), range);
}

function fromFiles(files) {
  const byPath = new Map(files.map((file) => [file.webkitRelativePath.split("/").slice(1).join("/"), file]));
  return async function* (path, range) {
    const file = byPath.get(path);
    if (!file) throw new Error(`${path} is not in the folder`);
    // A stream of a part of a file reads no more than that part.
    yield* (range ? file.slice(range.start, range.end) : file).stream();
  };
}

async function sha256(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `sha256:${Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
