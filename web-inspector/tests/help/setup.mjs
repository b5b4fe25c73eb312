// Before all tests: the page is there, the binary is there, and a folder with everything that can be dropped on the page.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { make } from "./images.mjs";
import { binary, dist } from "./shingle.mjs";

export default async function setup() {
  if (!existsSync(join(dist, "index.html"))) throw new Error("no page: `npx vite build` makes dist/, after `cargo xtask wasm --only npm`");
  binary();
  const folder = mkdtempSync(join(tmpdir(), "shingle-page-"));
  process.env.SHINGLE_PAGE_IMAGES = folder;
  await make(folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
