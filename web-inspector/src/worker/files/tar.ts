// The members of a tar, read where they lie: headers only.
//
// Archives of images are what is read here, and they hold plain files: ustar, GNU long names, pax paths and sizes. The
// tars of layers go to the core.

import type { Bytes } from "../bytes";
import { failure } from "../fault";
import { TAR_HEADER_BYTES, TAR_MEMBERS } from "../limits";

/** Something in a tar. */
export interface Member {
  name: string;
  kind: "file" | "link" | "other";
  /** Where its content lies. */
  start: number;
  size: number;
  /** What a link leads to, from the tar's root. */
  target: string;
}

/** Bytes that can be read anywhere. */
interface Readable {
  readonly size: number;
  /** Fewer than asked for only at the end. */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** Reads a file in windows: most headers of an archive are next to small contents. */
export function windows(file: Blob, length = 16 * 1024): Readable {
  let at = 0;
  let window: Bytes = new Uint8Array();
  return {
    size: file.size,
    read: async (start, end) => {
      if (start < at || end > at + window.length) {
        at = start;
        window = new Uint8Array(await file.slice(start, Math.max(end, start + length)).arrayBuffer());
      }
      return window.subarray(start - at, end - at);
    },
  };
}

const BLOCK = 512;
const DECODER = new TextDecoder();

/** The members of a tar one after the other; fails where it is none. */
export async function* members(tar: Readable, signal: AbortSignal): AsyncGenerator<Member> {
  let at = 0;
  let count = 0;
  let extended: Extended = {};
  let forAll: Extended = {};
  while (at < tar.size) {
    signal.throwIfAborted();
    const block = await tar.read(at, at + BLOCK);
    if (block.length < BLOCK) throw failure("input", `the tar ends at byte ${tar.size}, inside a header`);
    // Two blocks of zeros end a tar; writers that stop after one are understood too.
    if (block.every((byte) => byte === 0)) return;
    const header = readHeader(block, at);
    count += 1;
    if (count > TAR_MEMBERS) throw failure("limit", `the tar has more than ${TAR_MEMBERS} members`);
    const start = at + BLOCK;
    const size = "xgLKNS".includes(header.type) ? header.size : (extended.size ?? forAll.size ?? header.size);
    const end = start + (hasContent(header.type) ? size : 0);
    if (end > tar.size) throw failure("input", `the tar ends at byte ${tar.size}, inside a member`);
    at = start + BLOCK * Math.ceil((end - start) / BLOCK);
    const text = async () => {
      if (size > TAR_HEADER_BYTES) throw failure("limit", `a header of the tar has ${size} bytes`);
      return tar.read(start, end);
    };
    switch (header.type) {
      case "x":
        extended = { ...extended, ...readPax(await text()) };
        continue;
      case "g":
        forAll = { ...forAll, ...readPax(await text()) };
        continue;
      case "L":
        extended.path = untilNul(await text());
        continue;
      case "K":
        extended.linkpath = untilNul(await text());
        continue;
    }
    const { path, linkpath, sparse } = { ...forAll, ...extended };
    extended = {};
    const name = path ?? header.name;
    const target = linkpath ?? header.link;
    yield { name, start, size: end - start, ...kindOf(header.type, name, target, sparse ?? false) };
  }
}

/** A path without `.`, `..` and double slashes; `undefined` where it leads out of the tar, or is its root. */
export function clean(path: string): string | undefined {
  if (path.startsWith("/")) return undefined;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/") || undefined;
}

/** Where a link leads, from the tar's root. */
export function targetOf(name: string, kind: "hardlink" | "symlink", link: string): string {
  return kind === "hardlink" || link.startsWith("/") ? link : `${name.slice(0, name.lastIndexOf("/") + 1)}${link}`;
}

interface Header {
  name: string;
  link: string;
  size: number;
  type: string;
}

/** What a pax header changes. */
interface Extended {
  path?: string;
  linkpath?: string;
  size?: number;
  sparse?: boolean;
}

function kindOf(type: string, name: string, target: string, sparse: boolean): Pick<Member, "kind" | "target"> {
  if ((type === "0" || type === "\0" || type === "7") && !name.endsWith("/") && !sparse) return { kind: "file", target: "" };
  if (type === "1") return { kind: "link", target: targetOf(name, "hardlink", target) };
  if (type === "2") return { kind: "link", target: targetOf(name, "symlink", target) };
  return { kind: "other", target: "" };
}

/** Links, devices and directories have none, whatever their size field says. */
function hasContent(type: string): boolean {
  return !"123456".includes(type);
}

function readHeader(block: Uint8Array, at: number): Header {
  const stated = octal(block, 148, 8);
  let sum = 8 * 0x20;
  for (let index = 0; index < BLOCK; index += 1) if (index < 148 || index >= 156) sum += block[index] ?? 0;
  if (stated !== sum) throw failure("input", `there is no tar header at byte ${at}`);
  const magic = DECODER.decode(block.subarray(257, 263));
  const prefix = magic === "ustar\0" ? untilNul(block.subarray(345, 500)) : "";
  const name = untilNul(block.subarray(0, 100));
  return {
    name: prefix ? `${prefix}/${name}` : name,
    link: untilNul(block.subarray(157, 257)),
    size: length(block, at),
    type: String.fromCharCode(block[156] ?? 0),
  };
}

function length(block: Uint8Array, at: number): number {
  const bad = () => failure("input", `the tar header at byte ${at} has no length`);
  if (((block[124] ?? 0) & 0x80) === 0) {
    const size = octal(block, 124, 12);
    if (size === undefined) throw bad();
    return size;
  }
  // GNU's way for 8 GiB and more: the number itself, big-endian.
  let size = (block[124] ?? 0) & 0x7f;
  for (const byte of block.subarray(125, 136)) size = size * 256 + byte;
  if (!Number.isSafeInteger(size)) throw bad();
  return size;
}

function octal(block: Uint8Array, start: number, length: number): number | undefined {
  const text = untilNul(block.subarray(start, start + length)).trim();
  if (text === "") return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

function untilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return DECODER.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** `LENGTH KEY=VALUE\n`, one after the other. */
function readPax(bytes: Uint8Array): Extended {
  const found: Extended = {};
  let at = 0;
  while (at < bytes.length && bytes[at] !== 0) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? "" : DECODER.decode(bytes.subarray(at, space));
    const end = at + Number(digits);
    if (!/^\d{1,10}$/.test(digits) || end <= space || end > bytes.length) throw failure("input", "a pax header cannot be read");
    const record = DECODER.decode(bytes.subarray(space + 1, end - 1));
    const equals = record.indexOf("=");
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === "path") found.path = value;
    else if (key === "linkpath") found.linkpath = value;
    else if (key.startsWith("GNU.sparse.")) found.sparse = true;
    else if (key === "size") {
      if (!/^\d{1,16}$/.test(value) || !Number.isSafeInteger(Number(value))) throw failure("input", "a pax size cannot be read");
      found.size = Number(value);
    }
    at = end;
  }
  return found;
}
