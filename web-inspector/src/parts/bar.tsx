// A bar of parts, each with a colour and a pattern, and what they mean.

import { bytes as inBytes, percent } from "../format";
import type { Pattern, Token } from "./looks";
import "./bar.css";

export interface Part {
  name: string;
  value: number;
  token: Token;
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
  const said = parts
    .filter((part) => part.value > 0)
    .map((part) => `${part.name} ${format(part.value)}, ${percent(part.value, all)}`);
  return (
    <div class="bar" role="img" aria-label={`${label ? `${label}: ` : ""}${said.join("; ") || "nothing"}`}>
      {parts.map(
        (part) =>
          part.value > 0 && (
            <span
              key={part.name}
              class={`swatch ${part.pattern ?? "solid"}`}
              title={`${part.name}: ${format(part.value)}, ${percent(part.value, all)}`}
              style={{ inlineSize: `${(100 * part.value) / Math.max(all, 1)}%`, "--fill": `var(--${part.token})` }}
            />
          ),
      )}
    </div>
  );
}

interface LegendProps {
  parts: (Omit<Part, "value"> & { value?: number | undefined })[];
  format?(value: number): string;
}

/** What colours and patterns mean, with figures where parts have them. */
export function Legend({ parts, format = inBytes }: LegendProps) {
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
export function Swatch({ token, pattern = "solid" }: { token: Token; pattern?: Pattern | undefined }) {
  return <span class={`swatch ${pattern}`} aria-hidden="true" style={{ "--fill": `var(--${token})` }} />;
}

function sum(parts: Part[]): number {
  return parts.reduce((sum, part) => sum + part.value, 0);
}
