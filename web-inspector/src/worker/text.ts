// Names as strings. A path is bytes; in the page it is a string that stands for exactly these bytes: a byte that is not
// UTF-8 becomes a lone surrogate, U+DC80 to U+DCFF. `visible` in ../format.ts escapes those.

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** The string that stands for a path. */
export function pathText(bytes: Uint8Array): string {
  try {
    return STRICT.decode(bytes);
  } catch {
    return pieces(bytes);
  }
}

/** The bytes that a path's string stands for. */
export function pathBytes(text: string): Uint8Array {
  if (!/[\udc80-\udcff]/.test(text)) return ENCODER.encode(text);
  const bytes: number[] = [];
  // By code points: a surrogate that is half of a pair is none.
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else bytes.push(...ENCODER.encode(character));
  }
  return Uint8Array.from(bytes);
}

function pieces(bytes: Uint8Array): string {
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const length = sequence(bytes, at);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
      at += 1;
    } else {
      text += STRICT.decode(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return text;
}

/** How long the UTF-8 character at `at` is; 0 for none. */
function sequence(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length < 2) return length;
  try {
    STRICT.decode(bytes.subarray(at, at + length));
    return at + length <= bytes.length ? length : 0;
  } catch {
    return 0;
  }
}
