// What the command line says.
import { parseArgs } from "node:util";

const OPTIONS = {
  full: { type: "boolean" },
  given: { type: "string", multiple: true, default: [] },
  json: { type: "boolean" },
  store: { type: "string" },
  trust: { type: "string", default: "diffid" },
};

/** Parses `plan REF …` or `pull REF …`. The command calls the rung `diffid`, as `shingle` does; the core's word differs. */
export function parse(args) {
  const { positionals, values } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  const [command, ref, ...more] = positionals;
  if (!["plan", "pull"].includes(command) || !ref || more.length > 0 || (command === "pull" && !values.store)) {
    throw new Error("usage: plan REF [--given REF]... [--full] [--trust diffid|toc], or pull REF --store DIR [--trust …]");
  }
  const { full = false, given, store, trust } = values;
  return { command, ref, given, full, store, policy: { trust: trust === "diffid" ? "diff-id" : trust } };
}

/** Folder and tag of `oci:DIR[:TAG]`; undefined for another kind of reference. */
export function layoutOf(ref) {
  const [, dir, tag] = /^oci:(.*?)(?::([^:/]+))?$/.exec(ref) ?? [];
  return dir === undefined ? undefined : { dir, tag };
}
