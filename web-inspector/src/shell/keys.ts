// Single keys, for those who want them. They are off while something is typed, and may be turned off for good: who speaks
// to a computer would hit them by accident.

import { useLayoutEffect } from "preact/hooks";

import { VIEWS, type View } from "../route";

interface Keys {
  onView(view: View): void;
  onHelp(): void;
  onOpen(): void;
  onSearch(): void;
}

export function useKeys(keys: Keys, on: boolean): void {
  // A key may come right after what changed it.
  useLayoutEffect(() => {
    if (!on) return;
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      if (typing(event.target) || document.querySelector("dialog[open]")) return;
      const view = /^[1-9]$/.test(event.key) ? VIEWS[Number(event.key) - 1] : undefined;
      if (view) keys.onView(view);
      else if (event.key === "?") keys.onHelp();
      else if (event.key === "o") keys.onOpen();
      else if (event.key === "/") keys.onSearch();
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  });
}

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("select, textarea, input:not([type='checkbox'], [type='radio'], [type='button'])"))
  );
}
