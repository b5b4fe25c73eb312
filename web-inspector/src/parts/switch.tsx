// A choice between few words, all of them seen.

import { useId } from "preact/hooks";

import "./switch.css";

interface SwitchProps<Value extends string> {
  label: string;
  value: Value;
  options: readonly { value: Value; text: string }[];
  onChange(value: Value): void;
}

export function Switch<Value extends string>({ label, value, options, onChange }: SwitchProps<Value>) {
  const name = useId();
  return (
    <div class="pick switch" role="radiogroup" aria-label={label}>
      <span aria-hidden="true">{label}</span>
      <div>
        {options.map((option) => (
          <label key={option.value}>
            <input type="radio" name={name} checked={option.value === value} onChange={() => onChange(option.value)} />
            <span>{option.text}</span>
          </label>
        ))}
      </div>
    </div>
  );
}
