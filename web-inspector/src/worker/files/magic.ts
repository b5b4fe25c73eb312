// What a file is, by its first bytes.

/** How a file is compressed, or that it is a tar. */
export type Form = "gzip" | "zstd" | "tar" | "other";

/** Looks at a file's first bytes. */
export async function formOf(file: Blob): Promise<Form> {
  const head = new Uint8Array(await file.slice(0, 512).arrayBuffer());
  const [a = 0, b = 0, c = 0, d = 0] = head;
  if (a === 0x1f && b === 0x8b) return "gzip";
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return "zstd";
  // A frame that decoders skip: what some writers begin with.
  if (a >= 0x50 && a <= 0x5f && b === 0x2a && c === 0x4d && d === 0x18) return "zstd";
  if (String.fromCharCode(...head.subarray(257, 262)) === "ustar") return "tar";
  // An empty tar is zeros; so is the beginning of much else, but nothing else that is opened here.
  return head.length === 512 && head.every((byte) => byte === 0) ? "tar" : "other";
}
