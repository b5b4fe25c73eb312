// Announcements for people who do not see the page. The region is made once and stays: screen readers hear of changes in a
// region only if they knew it before.

let region: HTMLElement | undefined;

/** Puts the region on the page. */
export function listen(): void {
  if (region) return;
  region = document.createElement("p");
  region.className = "visually-hidden";
  region.setAttribute("role", "status");
  document.body.append(region);
}

/** Has `text` read out once what is being read is over. Text from outside must have gone through `visible`. */
export function say(text: string): void {
  listen();
  // The same sentence twice would be no change.
  if (region) region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}
