// Writes zstd frames without a compressor: raw blocks for what it is given, run-length blocks for bombs.

const MOST = 128 << 10;

/** A frame that holds `bytes` as they are. */
export function frame(bytes) {
  const blocks = [];
  for (let at = 0; at === 0 || at < bytes.length; at += MOST) {
    const part = bytes.subarray(at, at + MOST);
    blocks.push(block(at + MOST >= bytes.length, 0, part.length), part);
  }
  return Buffer.concat([head(), ...blocks]);
}

/** A frame of `length` zeros: four bytes for each 128 KiB. */
export function bomb(length) {
  const count = Math.max(1, Math.ceil(length / MOST));
  const bytes = Buffer.alloc(4 * count);
  for (let index = 0; index < count; index += 1) {
    const last = index + 1 === count;
    block(last, 1, last ? length - index * MOST : MOST).copy(bytes, 4 * index);
  }
  return Buffer.concat([head(), bytes]);
}

/** A frame that decoders skip. */
export function skippable(bytes) {
  const start = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
  start.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([start, bytes]);
}

/** Magic, no checksum, no content size, a window of 8 MiB. */
function head() {
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x68]);
}

function block(last, type, length) {
  const start = Buffer.alloc(3);
  start.writeUIntLE((length << 3) | (type << 1) | (last ? 1 : 0), 0, 3);
  return start;
}
