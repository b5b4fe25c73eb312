// A part of something long that is looked at: panning and zooming as arithmetic, without a screen.

/** From where to where; `from < to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** `span` zoomed around `at`, which stays where it is: `factor` 0.5 shows half as much. Within `whole`, at least `least` long. */
export function zoomed(span: Span, whole: Span, at: number, factor: number, least: number): Span {
  const long = span.to - span.from;
  const most = whole.to - whole.from;
  const wanted = Math.min(most, Math.max(Math.min(least, most), long * factor));
  const share = long > 0 ? Math.min(1, Math.max(0, (at - span.from) / long)) : 0.5;
  return kept({ from: at - share * wanted, to: at + (1 - share) * wanted }, whole);
}

/** `span` moved by `by`, within `whole`. */
export function panned(span: Span, whole: Span, by: number): Span {
  return kept({ from: span.from + by, to: span.to + by }, whole);
}

/** `span` moved as little as shows all of `shown`, zoomed out if it is too short for that. */
export function revealed(span: Span, whole: Span, shown: Span): Span {
  if (shown.from >= span.from && shown.to <= span.to) return span;
  const long = Math.max(span.to - span.from, shown.to - shown.from);
  const from = shown.from < span.from ? shown.from : shown.to - long;
  return kept({ from, to: from + long }, whole);
}

/** Moved, and at last cut, so that it lies in `whole`. */
export function kept(span: Span, whole: Span): Span {
  const long = Math.min(span.to - span.from, whole.to - whole.from);
  const from = Math.min(whole.to - long, Math.max(whole.from, span.from));
  return { from, to: from + long };
}

/** What a wheel event zooms by. Trackpads send many small steps, wheels few large ones. */
export function wheelFactor(event: { deltaY: number; deltaMode: number }): number {
  const pixels = event.deltaMode === 0 ? event.deltaY : event.deltaY * (event.deltaMode === 1 ? 16 : 400);
  return Math.exp(Math.min(240, Math.max(-240, pixels)) / 400);
}

/** Where a glide is after `share` of its time: slow, fast, slow. */
export function eased(share: number): number {
  const t = Math.min(1, Math.max(0, share));
  return t < 0.5 ? 4 * t ** 3 : 1 - (-2 * t + 2) ** 3 / 2;
}

/** Whether the reader asked for less motion: glides are left out then. */
export function still(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
