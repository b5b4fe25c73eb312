// Links between views: each has an address, so that it opens in a new tab as well.

import type { ComponentChildren } from "preact";

import { type Route, write } from "../route";
import type { ViewProps } from "../views/view";

interface LinkProps {
  to: Partial<Route>;
  at: Pick<ViewProps, "route" | "go">;
  children: ComponentChildren;
}

export function RouteLink({ to, at, children }: LinkProps) {
  return (
    <a
      href={write({ ...at.route, ...to }) || "#"}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        at.go(to);
      }}
    >
      {children}
    </a>
  );
}
