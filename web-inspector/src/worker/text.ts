// Names as strings. A path is bytes; in the page it is a string that stands for exactly these bytes: a byte that is not
// UTF-8 becomes a lone surrogate, U+DC80 to U+DCFF. `visible` in ../format.ts escapes those.

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** A name that is not taken yet, as near to the wanted one as can be. */
export function unused(taken: { has(name: string): boolean }, wanted: string): string {
  let name = wanted;
  for (let copy = 2; taken.has(name); copy += 1) name = `${wanted} (${copy})`;
  return name;
}

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

/** How long the UTF-8 character at `at` is; 0 for none. By hand: an exception for each byte takes long. */
function sequence(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  // Overlong forms, surrogates, and what is beyond Unicode.
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1] ?? 0;
  if (second < least || second > most) return 0;
  for (let next = at + 2; next < at + length; next += 1) if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}
