// Figures as people read them; the same words as the command's.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;
const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** `1.2 MiB`; exact below 1,024 bytes. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || Math.abs(value) >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** `12,345`. */
export function count(value: number): string {
  return GROUPED.format(value);
}

/** `1 file`, `12,345 files`. */
export function counted(value: number, noun: string, several = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : several}`;
}

/** Part of a whole: `12.3 %`; never 0 or 100 unless it is. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return "–";
  const value = (100 * part) / whole;
  if (part > 0 && value < 0.1) return "<0.1 %";
  if (part < whole && value > 99.9) return ">99.9 %";
  return `${value >= 99.95 ? "100" : value.toFixed(1)} %`;
}

/** `0.3 s`, `12 s`, `3 min 20 s`. */
export function seconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 120) return `${Math.round(value)} s`;
  const whole = Math.round(value);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** The first digits of a digest. */
export function short(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}

const DECODER = new TextDecoder("utf-8", { fatal: true });
// Control characters, and those that turn the writing direction or have no width: names must not play tricks.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/** A name for showing: what is not UTF-8 or not visible is escaped. */
export function name(raw: Uint8Array): string {
  let text: string;
  try {
    text = DECODER.decode(raw);
  } catch {
    text = Array.from(raw, (byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`,
    ).join("");
    return text;
  }
  return visible(text);
}

/** Text from outside for showing. A surrogate that stands for a byte of a path is shown as that byte: `worker/text.ts`. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (found) => {
    const code = found.codePointAt(0) ?? 0;
    return code >= 0xdc80 && code <= 0xdcff ? `\\x${(code - 0xdc00).toString(16)}` : `\\u{${code.toString(16)}}`;
  });
}
