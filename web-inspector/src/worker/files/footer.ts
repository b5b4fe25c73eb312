// What a manifest would say about a blob that came without one, from the blob's own end.
//
// The forms are those of core/src/locate/footer.rs. What is found is nothing but a claim: the core holds the TOC against
// its digest and the tar-split, as ever.

import { collect } from "../bytes";
import { digestOf } from "../core";
import { MIB } from "../limits";
import { members, windows } from "./tar";
import { gunzip } from "./unpack";

const ZSTD_FOOTER = 64;
const ESTARGZ_FOOTER = 51;
const TOC_BYTES = 150 * MIB;
const PREFIX = "io.github.containers.zstd-chunked";

/** The annotations that lead to the blob's TOC; none where its end does not say. */
export async function ownAnnotations(blob: Blob, signal: AbortSignal): Promise<Record<string, string>> {
  const tail = new Uint8Array(await blob.slice(-ZSTD_FOOTER).arrayBuffer());
  return (await ofZstd(blob, tail)) ?? (await ofStargz(blob, tail, signal)) ?? {};
}

async function ofZstd(blob: Blob, tail: Uint8Array): Promise<Record<string, string> | undefined> {
  if (tail.length < ZSTD_FOOTER || latin(tail.subarray(56)) !== "GNUlInUx") return undefined;
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const field = (at: number) => Number(view.getBigUint64(8 * at, true));
  const [offset, length, plain, type] = [field(0), field(1), field(2), field(3)];
  if (length === 0 || length > TOC_BYTES || offset + length > blob.size) return undefined;
  const toc = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
  return {
    [`${PREFIX}.manifest-checksum`]: digestOf(toc),
    [`${PREFIX}.manifest-position`]: `${offset}:${length}:${plain}:${type}`,
    ...(field(4) > 0 && { [`${PREFIX}.tarsplit-position`]: `${field(4)}:${field(5)}:${field(6)}` }),
  };
}

async function ofStargz(blob: Blob, tail: Uint8Array, signal: AbortSignal): Promise<Record<string, string> | undefined> {
  const footer = latin(tail.subarray(-ESTARGZ_FOOTER));
  const [, digits] = /^\x1f\x8b\x08\x04[^]{6}\x1a\0SG\x16\0([0-9a-f]{16})STARGZ/.exec(footer) ?? [];
  const offset = Number.parseInt(digits ?? "", 16);
  const end = blob.size - ESTARGZ_FOOTER;
  if (!(offset < end)) return undefined;
  try {
    const tar = await collect(gunzip(blob.slice(offset, end), signal), TOC_BYTES, "the TOC");
    const plain = new Blob([tar]);
    for await (const { name, start, size } of members(windows(plain), signal)) {
      if (name !== "stargz.index.json") continue;
      const toc = digestOf(tar.subarray(start, start + size));
      return { "containerd.io/snapshot/stargz/toc.digest": toc };
    }
  } catch {
    // No such TOC: the layer is still a gzip, and is read as one.
    signal.throwIfAborted();
  }
  return undefined;
}

function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
