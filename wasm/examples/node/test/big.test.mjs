// 200,000 files, and how much of wasm's memory they take: 157 MB at most when this was written, 140 MB of it once TOC and
// tar-split were read and agreed, the rest for a plan, the flat arrays and an inventory of as many files.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { npm } from "./help/fixtures.mjs";

const run = promisify(execFile);
const big = fileURLToPath(new URL("./help/big.mjs", import.meta.url));
const COUNT = 200_000;

test("a TOC of 200,000 files fits", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "shingle-big-"));
  const blob = join(dir, "blob");
  try {
    await run(process.execPath, [big, "write", `${npm}/full/node.js`, String(COUNT), blob]);
    const { stdout } = await run(process.execPath, [big, "plan", `${npm}/full/node.js`, blob]);
    t.diagnostic(stdout.trim());
    const figures = JSON.parse(stdout);
    assert.deepEqual([figures.entries, figures.files, figures.held], [COUNT, COUNT, COUNT]);
    // Memory of wasm never shrinks: this is the most that any step took.
    assert.ok(figures.memory <= 200_000_000, `${figures.memory} bytes, ${figures.opened} after the TOC was opened`);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
