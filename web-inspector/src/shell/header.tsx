import "./header.css";

import { type Route, VIEWS, write } from "../route";
import { ThemePick } from "./theme";
import { ABOUT } from "./words";

interface HeaderProps {
  route: Route;
  go(change: Partial<Route>): void;
  onHelp(): void;
}

export function Header({ route, go, onHelp }: HeaderProps) {
  return (
    <header class="top">
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <h1>
        <img src="./icon.svg" alt="" width="28" height="28" />
        Shingle
      </h1>
      <nav aria-label="Views">
        <ul>
          {VIEWS.map((view, index) => (
            <li key={view}>
              <a
                href={write({ ...route, view }) || "#"}
                aria-current={view === route.view ? "page" : undefined}
                aria-keyshortcuts={String(index + 1)}
                title={`${ABOUT[view].about} (${index + 1})`}
                onClick={(event) => {
                  // With these the browser opens a tab or window of its own.
                  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
                  event.preventDefault();
                  go({ view });
                }}
              >
                {ABOUT[view].name}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="tools no-print">
        <ThemePick />
        <button type="button" onClick={onHelp} aria-keyshortcuts="?" aria-haspopup="dialog">
          Help
        </button>
      </div>
    </header>
  );
}

/** The address is taken, so the link cannot lead there by itself. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
