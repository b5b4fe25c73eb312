import type { ComponentChild } from "preact";

interface PickProps<Value extends string | number> {
  /** What is chosen, and the select's accessible name. */
  label: string;
  value: Value;
  /** What there is to choose from; text from outside must have gone through `visible`. */
  options: readonly { value: Value; text: string }[];
  onChange(value: Value): void;
  /** Shown after the select. */
  children?: ComponentChild;
}

/** A labelled select. Values are compared as the numbers or strings that they are. */
export function Pick<Value extends string | number>({ label, value, options, onChange, children }: PickProps<Value>) {
  const chosen = options.findIndex((option) => option.value === value);
  return (
    <label class="pick">
      <span>{label}</span>
      <select
        value={String(chosen)}
        onChange={({ currentTarget }) => {
          const option = options[Number(currentTarget.value)];
          if (option) onChange(option.value);
        }}
      >
        {chosen < 0 && (
          <option value="-1" disabled>
            –
          </option>
        )}
        {options.map((option, index) => (
          <option key={option.value} value={String(index)} selected={index === chosen}>
            {option.text}
          </option>
        ))}
      </select>
      {children}
    </label>
  );
}
