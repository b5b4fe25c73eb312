// The command that the page must agree with.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The repository. */
export const root = fileURLToPath(new URL("../../../", import.meta.url));
/** The page as `vite build` left it. */
export const dist = process.env.SHINGLE_PAGE ?? `${root}web-inspector/dist`;

/** The binary: what SHINGLE names, else what was built last. */
export function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? `${root}target`;
  const found = [process.env.SHINGLE, `${target}/release/shingle`, `${target}/debug/shingle`].find(
    (path) => path && existsSync(path),
  );
  if (!found) throw new Error("no binary: `cargo build --release -p shingle`, or name one in SHINGLE");
  return found;
}

/** Runs the command and returns what it prints. */
export async function shingle(...args) {
  const { stdout } = await promisify(execFile)(binary(), args, { maxBuffer: 1 << 28 });
  return stdout;
}

/** Runs the command with `--json`, and nothing from its cache. */
export async function told(command, ...args) {
  const fresh = ["overlap", "diff", "plan", "ls", "chunks"].includes(command) ? ["--no-cache"] : [];
  return JSON.parse(await shingle(command, "--json", ...fresh, ...args));
}
