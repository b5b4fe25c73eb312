// The colours of `style.css` for canvases, which know no custom properties.

/** The colour tokens, without their dashes. */
const TOKENS = [
  "ground",
  "raised",
  "line",
  "ink",
  "faint",
  "accent",
  "accent-ink",
  "alarm",
  "shared",
  "unique",
  "partly",
  "wasted",
  "fetched",
  "bridged",
  "reused",
  "skipped",
  "meta",
] as const;
export type Token = (typeof TOKENS)[number];
/** Each token as a colour that a canvas and a picture file take. */
export type Theme = Readonly<Record<Token, string>>;

let known: Theme | undefined;
const hearers = new Set<() => void>();

/** The colours as they are now. The same object until they change. */
export function theme(): Theme {
  known ??= read();
  return known;
}

/** Hears when colours change: the reader's system, or the page's own switch. Returns how to stop. */
export function onTheme(heard: () => void): () => void {
  watch();
  hearers.add(heard);
  return () => hearers.delete(heard);
}

/** A token may be written with `light-dark()` or `var()`: only as a colour of an element it is worked out. */
function read(): Theme {
  const probe = document.createElement("i");
  probe.hidden = true;
  // With the system's own colours every text has one colour: pictures keep theirs, as legends do.
  probe.style.setProperty("forced-color-adjust", "none");
  document.documentElement.append(probe);
  const found = {} as Record<Token, string>;
  for (const token of TOKENS) {
    probe.style.color = `var(--${token})`;
    found[token] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

let watched = false;

function watch(): void {
  if (watched) return;
  watched = true;
  const changed = () => {
    known = undefined;
    for (const heard of hearers) heard();
  };
  for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)", "(forced-colors: active)"]) {
    matchMedia(query).addEventListener("change", changed);
  }
  new MutationObserver(changed).observe(document.documentElement, { attributeFilter: ["data-theme", "class"] });
}
