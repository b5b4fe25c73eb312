// A bar of parts, each with a colour and a pattern, and what they mean.

import type { Pattern } from "../canvas/looks";
import type { Token } from "../canvas/theme";
import { bytes as inBytes, percent } from "../format";
import "./bar.css";

export interface Part {
  name: string;
  value: number;
  token: Token;
  /** As `src/canvas/looks.ts` draws it; `plain` unless given. */
  pattern?: Pattern;
}

interface BarProps {
  parts: Part[];
  /** What the bar's full width is; the sum of the parts unless given. */
  total?: number;
  /** What the bar is of; its parts are said after it. */
  label?: string;
  format?(value: number): string;
}

export function Bar({ parts, total, label, format = inBytes }: BarProps) {
  const all = total ?? sum(parts);
  const some = parts.filter((part) => part.value > 0);
  const said = (part: Part) => `${part.name} ${format(part.value)}, ${percent(part.value, all)}`;
  return (
    <div class="bar" role="img" aria-label={`${label ? `${label}: ` : ""}${some.map(said).join("; ") || "nothing"}`}>
      {some.map((part) => (
        <span key={part.name} class="bar-part" title={said(part)} style={{ inlineSize: `${(100 * part.value) / Math.max(all, 1)}%` }}>
          <Swatch {...part} />
        </span>
      ))}
    </div>
  );
}

type Meaning = Omit<Part, "value"> & { value?: number };

/** What colours and patterns mean, with figures where parts have them. */
export function Legend({ parts, format = inBytes }: { parts: readonly Meaning[]; format?(value: number): string }) {
  return (
    <ul class="legend">
      {parts.map((part) => (
        <li key={part.name}>
          <Swatch {...part} />
          {part.name}
          {part.value !== undefined && <b>{format(part.value)}</b>}
        </li>
      ))}
    </ul>
  );
}

/** A patch of a meaning's colour and pattern. */
export function Swatch({ token, pattern = "plain" }: { token: Token; pattern?: Pattern | undefined }) {
  return <span class={`swatch ${pattern}`} aria-hidden="true" style={{ backgroundColor: `var(--${token})` }} />;
}

function sum(parts: Part[]): number {
  return parts.reduce((sum, part) => sum + part.value, 0);
}
