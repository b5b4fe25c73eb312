// The parts of the views that need no browser. Run: npx playwright test src/parts

import { expect, test } from "@playwright/test";

import { csvLine } from "../../export/csv";
import { jsonLines } from "../../export/json";
import { fileName } from "../../export/save";
import { cut, escape } from "../../export/svg";
import type { DiffArrays, TreeArrays } from "../../protocol";
import { octal, permissions, target, time } from "../../views/details/words";
import { Changes, renamed } from "../../views/diff/changes";
import { Nodes } from "../nodes";
import { sortedOrder } from "../order";

const ENCODER = new TextEncoder();

test("a spreadsheet takes no cell for a formula, and lines stay lines", () => {
  const table: [string, string][] = [
    ["plain", "plain"],
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@x", "'@x"],
    ["\tx", "'\tx"],
    ["a,b", '"a,b"'],
    ['say "x"', '"say ""x"""'],
    ["two\r\nlines", '"two\r\nlines"'],
    ['=cmd("x")', '"\'=cmd(""x"")"'],
  ];
  for (const [cell, written] of table) expect(csvLine([cell, 1])).toBe(`${written},1\r\n`);
  expect(csvLine([-5, undefined, true, ""])).toBe("-5,,true,\r\n");
});

test("a long list is written piece by piece as one JSON document", () => {
  for (const rows of [[], [{ path: "a" }], [{ path: 'b"' }, { path: "c" }]]) {
    const text = [...jsonLines("diff", { old: { image: "x" } }, "changes", rows)].join("");
    expect(JSON.parse(text)).toEqual({ format: "shingle-diff", version: 1, old: { image: "x" }, changes: rows });
  }
});

test("names are text in a picture, and names of files are plain", () => {
  expect(escape('<script>&"\u0000\ud800')).toBe("&lt;script&gt;&amp;&quot;\ufffd\ufffd");
  expect(cut("registry.example.org/team/app:1", 11)).toBe("regis…app:1");
  expect(fileName("shingle-file-../../x y")).toBe("shingle-file-..-..-x-y");
  expect(fileName(".. ")).toBe("shingle");
});

test("rows are ordered by their keys, and stay as they came where those are alike", () => {
  const rows = ["b1", "a1", "b2", "a2"];
  expect([...sortedOrder(rows, (row) => row.charAt(0), "ascending")]).toEqual([1, 3, 0, 2]);
  expect([...sortedOrder(rows, (row) => row.charAt(0), "descending")]).toEqual([0, 2, 1, 3]);
  expect([...sortedOrder([10, 9, 100], (row) => row, "ascending")]).toEqual([1, 0, 2]);
});

test("metadata reads as ls writes it", () => {
  expect(permissions("regular", 0o755)).toBe("-rwxr-xr-x");
  expect(permissions("regular", 0o4644)).toBe("-rwSr--r--");
  expect(permissions("directory", 0o1777)).toBe("drwxrwxrwt");
  expect(permissions("regular", 0o2755)).toBe("-rwxr-sr-x");
  expect(octal(0o4755)).toBe("4755");
  expect(octal(0o100644)).toBe("0644");
  expect(time({ seconds: 0, nanoseconds: 0 })).toBe("1970-01-01 00:00:00 UTC");
  expect(time({ seconds: -1, nanoseconds: 500_000_000 })).toBe("1969-12-31 23:59:59.5 UTC");
  expect(time({ seconds: 1e15, nanoseconds: 0 })).toBe("1,000,000,000,000,000 s after 1970");
});

test("a link leads to a path of the image, and not out of it", () => {
  expect(target("symlink", "usr/bin/sh", "dash")).toBe("usr/bin/dash");
  expect(target("symlink", "usr/bin/sh", "../lib//x/./y")).toBe("usr/lib/x/y");
  expect(target("symlink", "bin", "/usr/bin")).toBe("usr/bin");
  expect(target("symlink", "bin", "../../../etc")).toBe("etc");
  expect(target("hardlink", "usr/bin/sh", "usr/bin/dash")).toBe("usr/bin/dash");
});

test("what a renamed path keeps is said once", () => {
  for (const [old, now, said] of [
    ["a", "b", "a => b"],
    ["a/x", "b/x", "{a => b}/x"],
    ["a/x", "a/y", "a/{x => y}"],
    ["opt/tool-1/bin/tool", "opt/tool-2/bin/tool", "opt/{tool-1 => tool-2}/bin/tool"],
    ["a/b/c", "a/c", "a/{b => }/c"],
    ["a/c", "a/b/c", "a/{ => b}/c"],
    ["a/a", "a/a/a", "a/a/{ => a}"],
    ["a", "b/a", "{ => b}/a"],
  ] as const) {
    expect(renamed(old, now)).toBe(said);
  }
});

test("rows of a diff are found by change and by a part of the path, old names too", () => {
  const changes = new Changes(diffOf(["etc/motd", "etc/Passwd", "new", "usr/ä"]), new Nodes(TREE));
  expect([...changes.filter([], "")]).toEqual([0, 1, 2, 3]);
  expect([...changes.filter([], "ETC/pass")]).toEqual([1]);
  expect([...changes.filter([], "ä")]).toEqual([3]);
  // A match must not reach from one path into the next.
  expect([...changes.filter([], "motdetc")]).toEqual([]);
  expect([...changes.filter(["added", "content", "metadata", "renamed"], "")]).toEqual([1]);
  expect(changes.oldPath(2)).toBe("dir/before");
  expect([...changes.filter([], "BEFORE")]).toEqual([2]);
  expect(changes.fields(3)).toEqual(["mode", "xattrs"]);
  expect(changes.place(1)).toEqual({ side: "old", node: 1 });
  expect(changes.sums().map(({ change, paths, logical }) => [change, paths, logical])).toEqual([
    ["added", 1, 1],
    ["removed", 1, 2],
    ["content", 0, 0],
    ["metadata", 1, 4],
    ["renamed", 1, 3],
  ]);
});

/** `dir` with `before` in it, and `last` beside. */
const TREE: TreeArrays = {
  parents: Uint32Array.of(0, 0, 1, 0),
  ends: Uint32Array.of(4, 3, 3, 4),
  names: ENCODER.encode("dirbeforelast"),
  nameEnds: Uint32Array.of(0, 3, 9, 13),
  kinds: Uint8Array.of(2, 2, 5, 6),
  gone: new Uint8Array(4),
  files: new Uint32Array(4),
  shared: new Float64Array(4),
  unique: new Float64Array(4),
  partly: new Float64Array(4),
  partlyShared: new Float64Array(4),
  wasted: new Float64Array(4),
  unlocated: 0,
};

test("a tree's arrays tell names, places and kinds", () => {
  const nodes = new Nodes(TREE);
  expect([0, 1, 2, 3].map((node) => nodes.path(node))).toEqual(["", "dir", "dir/before", "last"]);
  expect(nodes.children(0)).toEqual([1, 3]);
  expect(nodes.children(1)).toEqual([2]);
  expect(nodes.kind(3)).toBe("symlink");
});

/** One row each: added, removed, renamed, other metadata. */
function diffOf(paths: string[]): DiffArrays {
  const encoded = paths.map((path) => ENCODER.encode(path));
  let end = 0;
  const amount = { count: 0, bytes: { logical: 0, compressed: 0, unlocated: 0 } };
  return {
    changed: Uint8Array.of(0, 1, 4, 3),
    old: Int32Array.of(-1, 1, 2, 3),
    new: Int32Array.of(5, -1, 6, 7),
    fields: Uint8Array.of(0, 0, 0, 9),
    logical: Float64Array.of(1, 2, 3, 4),
    compressed: Float64Array.of(1, 2, 3, 4),
    fresh: Float64Array.of(1, 0, 0, 0),
    paths: Uint8Array.from(encoded.flatMap((path) => [...path])),
    pathEnds: Uint32Array.from(encoded, (path) => (end += path.length)),
    summary: {
      added: amount,
      removed: amount,
      changed: amount,
      metadata: amount,
      renamed: amount,
      same: amount,
      newFiles: amount.bytes,
      newChunks: amount.bytes,
    },
  };
}
