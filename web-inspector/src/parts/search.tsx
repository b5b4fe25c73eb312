// A box to search paths with. The address keeps what is searched, a moment after it is typed.

import { useEffect, useRef, useState } from "preact/hooks";

import "./search.css";

/** What is looked for: paths have no slash before them, but people write one. */
export function needle(text: string): string {
  return text.replace(/^\/+/, "");
}

interface SearchProps {
  label?: string;
  value: string;
  onSearch(text: string): void;
  /** The Enter key. */
  onEnter?(text: string): void;
}

const PAUSE_MS = 200;

export function SearchBox({ label = "Search paths", value, onSearch, onEnter }: SearchProps) {
  const [text, setText] = useState(value);
  const told = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  useEffect(() => {
    if (value === told.current) return;
    told.current = value;
    setText(value);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const tell = (text: string) => {
    clearTimeout(timer.current);
    if (text === told.current) return;
    told.current = text;
    onSearch(text);
  };
  return (
    <label class="pick search-box">
      <span>{label}</span>
      <input
        type="search"
        value={text}
        spellcheck={false}
        autocomplete="off"
        maxLength={1000}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          clearTimeout(timer.current);
          timer.current = setTimeout(tell, PAUSE_MS, currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          tell(text);
          onEnter?.(text);
        }}
      />
    </label>
  );
}
