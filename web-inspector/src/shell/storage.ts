// What the browser keeps for the page. It may refuse (private windows, `file:`, settings): then things last until the page
// is closed, and nobody is bothered with it.

type Kind = "localStorage" | "sessionStorage";

const PREFIX = "shingle.";

/** What was kept under `key`. */
export function recall(kind: Kind, key: string): string | undefined {
  try {
    return window[kind].getItem(PREFIX + key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps `text` under `key`, if it may. */
export function keep(kind: Kind, key: string, text: string): void {
  try {
    window[kind].setItem(PREFIX + key, text);
  } catch {
    // Said above.
  }
}
