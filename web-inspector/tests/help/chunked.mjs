// Writes zstd:chunked layers: honest ones and, changed between `takeApart` and `seal`, lying ones.
import { createHash } from "node:crypto";

import { crc64 } from "./crc64.mjs";
import { member } from "./tar.mjs";
import { frame, skippable } from "./zstd.mjs";

const KEY = "io.github.containers.zstd-chunked.";
const ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd";
const TYPES = { 0: "reg", 1: "hardlink", 2: "symlink", 3: "char", 4: "block", 5: "dir", 6: "fifo" };

export function digestOf(bytes) {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The parts of a layer before they are joined: frames, TOC, tar-split. Files are cut into chunks of `chunk` bytes. */
export function takeApart(members, chunk = 64 << 10) {
  const frames = [];
  let at = 0;
  const push = (bytes) => void (frames.push(bytes), (at += bytes.length));
  const entries = [];
  const split = [];
  const say = (line) => void split.push(JSON.stringify({ ...line, position: split.length }));
  let meta = [];
  let segment = [];
  const whole = createHash("sha256");
  for (const said of members) {
    const content = Buffer.from(said.content ?? "");
    const bytes = member(said);
    const start = bytes.length - content.length - ((512 - (content.length % 512)) % 512);
    whole.update(bytes);
    const header = bytes.subarray(0, start);
    meta.push(header);
    segment.push(header);
    say({ type: 2, payload: Buffer.concat(segment).toString("base64") });
    segment = [];
    say({ type: 1, name: String(said.name), ...(content.length > 0 ? { size: content.length, payload: crc64(content) } : { payload: null }) });
    const entry = row(said);
    entries.push(entry);
    if (content.length === 0) continue;
    push(frame(Buffer.concat(meta)));
    meta = [];
    Object.assign(entry, { size: content.length, digest: digestOf(content) });
    for (let from = 0; from < content.length; from += chunk) {
      const piece = content.subarray(from, from + chunk);
      const part = from === 0 ? entry : { type: "chunk", name: entry.name, chunkOffset: from };
      part.offset = at;
      if (content.length > chunk) Object.assign(part, { chunkSize: piece.length, chunkDigest: digestOf(piece) });
      push(frame(piece));
      if (from > 0) entries.push(part);
    }
    entry.endOffset = at;
    const padding = bytes.subarray(start + content.length);
    meta.push(padding);
    segment.push(padding);
  }
  const end = Buffer.alloc(1024);
  whole.update(end);
  push(frame(Buffer.concat([...meta, end])));
  say({ type: 2, payload: Buffer.concat([...segment, end]).toString("base64") });
  return {
    frames: Buffer.concat(frames),
    toc: { version: 1, entries },
    split: Buffer.from(split.map((line) => `${line}\n`).join("")),
    diffId: `sha256:${whole.digest("hex")}`,
  };
}

/** Joins the parts, with digests and positions that fit what they are now. `tocText`, `packedToc`, `packedSplit`, `tocLen`
    and `splitLen` stand in for what would be written. */
export function seal(parts) {
  const split = parts.packedSplit ?? frame(parts.split);
  const toc = parts.packedToc ?? frame(tocText(parts, split));
  const tocLen = parts.tocLen ?? tocText(parts, split).length;
  const splitLen = parts.splitLen ?? parts.split.length;
  const tocAt = parts.frames.length + 8;
  const splitAt = tocAt + toc.length + 8;
  const footer = Buffer.alloc(64);
  [tocAt, toc.length, tocLen, 1, splitAt, split.length, splitLen].forEach((value, index) =>
    footer.writeBigUInt64LE(BigInt(value), 8 * index),
  );
  footer.write("GNUlInUx", 56, "latin1");
  const blob = Buffer.concat([parts.frames, skippable(toc), skippable(split), skippable(footer)]);
  return {
    mediaType: ZSTD,
    blob,
    diffId: parts.diffId,
    annotations: {
      [`${KEY}manifest-checksum`]: digestOf(toc),
      [`${KEY}manifest-position`]: `${tocAt}:${toc.length}:${tocLen}:1`,
      [`${KEY}tarsplit-position`]: `${splitAt}:${split.length}:${splitLen}`,
    },
  };
}

/** A layer of `members` whose TOC `lie` changed. */
export function lying(members, lie) {
  const parts = takeApart(members, 4096);
  const changed = lie(parts) ?? parts;
  return seal(changed);
}

function tocText(parts, split) {
  return parts.tocText ?? Buffer.from(JSON.stringify({ tarSplitDigest: digestOf(split), ...parts.toc }));
}

function row({ name, type = "0", linkName, mode = 0o644, uid = 0, gid = 0, mtime = 1_767_225_600 }) {
  const entry = { type: TYPES[type], name: String(name), mode, modtime: new Date(1000 * mtime).toISOString().replace(".000Z", "Z") };
  if (linkName) entry.linkName = String(linkName);
  if (uid) entry.uid = uid;
  if (gid) entry.gid = gid;
  return entry;
}
