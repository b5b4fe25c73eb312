// What the tests open: real images in each form that the page takes.
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { archive, gzipLayer, layout, plainLayer, writeLayout } from "./layout.mjs";
import { seal, takeApart } from "./chunked.mjs";
import { root, shingle } from "./shingle.mjs";
import { tar } from "./tar.mjs";

const fixtures = `${root}tests/fixtures`;
/** Two versions of a small image: `v1` and `v2`, zstd:chunked by podman. */
export const DEMO = `${fixtures}/demo`;
/** One layer with every kind of entry; the same in gzip. */
export const ZOO = `${fixtures}/zoo/podman-5.8`;
export const ZOO_GZIP = `${fixtures}/zoo/gzip`;

/** A file that `make` made. */
export function made(name) {
  return join(process.env.SHINGLE_PAGE_IMAGES, name);
}

/** Makes them all in `folder`. */
export async function make(folder) {
  const at = (name) => join(folder, name);
  cpSync(DEMO, at("demo"), { recursive: true });
  for (const extra of ["README.md", "layout.rs", "make"]) execFileSync("rm", [at(`demo/${extra}`)]);
  // With names that begin in "./", as GNU tar writes them.
  execFileSync("tar", ["-C", at("demo"), "-cf", at("demo.tar"), "."]);
  await shingle("copy", `oci:${DEMO}:v1`, `oci-archive:${at("v1.tar")}:v1`);
  await shingle("copy", `oci:${DEMO}:v1`, `docker-archive:${at("docker-v1.tar")}:demo:v1`);
  await shingle("copy", `oci:${DEMO}:v2`, `docker-archive:${at("docker-v2.tar")}:demo:v2`);
  await shingle("copy", `oci:${ZOO_GZIP}:zoo`, `oci-archive:${at("gzip.tar")}:zoo`);
  cpSync(ZOO, at("zoo"), { recursive: true });
  cpSync(ZOO_GZIP, at("zoo-gzip"), { recursive: true });
  copyFileSync(`${fixtures}/zoo/zoo.tar`, at("zoo.tar"));
  copyFileSync(`${fixtures}/zoo/zoo.estargz`, at("zoo.estargz"));

  // Each relation that two images can have: shared, unique, partly shared, wasted, twice in one, renamed, other metadata.
  const sides = layout(related());
  writeLayout(sides, at("related"));
  writeFileSync(at("related.tar"), archive(sides));
}

/** Images `old`, `new` and `gzip`, small enough to know all of them by heart. */
function related() {
  const text = (word, length) => Buffer.alloc(length, `${word} `);
  const noise = (seed, length) => {
    const bytes = Buffer.alloc(length);
    let state = seed;
    for (let index = 0; index < length; index += 1) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      bytes[index] = state >>> 24;
    }
    return bytes;
  };
  const database = noise(1, 40_000);
  const changed = Buffer.from(database);
  noise(2, 4_000).copy(changed, 20_480);
  const base = [
    { name: "bin/", type: "5", mode: 0o755 },
    { name: "bin/sh", content: noise(3, 30_000), mode: 0o755 },
    { name: "bin/bash", type: "1", linkName: "bin/sh", mode: 0o755 },
    { name: "etc/", type: "5", mode: 0o755 },
    { name: "etc/motd", content: text("hello", 500) },
    { name: "etc/once", content: text("twice", 3_000) },
    { name: "etc/again", content: text("twice", 3_000) },
    { name: "lib/", type: "5", mode: 0o755 },
    { name: "lib/libold.so", content: noise(4, 12_000), mode: 0o755 },
  ];
  const top = (database, more) => [
    { name: "var/", type: "5", mode: 0o755 },
    { name: "var/database", content: database },
    { name: "etc/motd", content: text("changed", 700) },
    ...more,
  ];
  const old = [
    seal(takeApart(base, 4096)),
    seal(takeApart(top(database, [{ name: "opt/one", content: noise(5, 9_000) }, { name: "etc/mode", content: "same", mode: 0o600 }]), 4096)),
  ];
  const fresh = [
    seal(takeApart(base, 4096)),
    seal(takeApart(top(changed, [
      { name: "opt/two", content: noise(5, 9_000) },
      { name: "etc/mode", content: "same", mode: 0o644 },
      { name: "lib/.wh.libold.so" },
      { name: "opt/new", content: noise(6, 5_000) },
    ]), 4096)),
  ];
  return { old, new: fresh, gzip: [gzipLayer(tar(base))], plain: [plainLayer(tar(base))] };
}
