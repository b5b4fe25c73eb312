import { useState } from "preact/hooks";

import { Pick } from "./pick";
import { keep, recall } from "./storage";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const NAMES: Record<Theme, string> = { auto: "Auto", light: "Light", dark: "Dark" };

/** What was chosen before, or else what the system says. */
function remembered(): Theme {
  const kept = recall("localStorage", "theme");
  return THEMES.find((theme) => theme === kept) ?? "auto";
}

function apply(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

/** Shows the theme that was chosen before; to be called before the first paint. */
export function restoreTheme(): void {
  apply(remembered());
}

export function ThemePick() {
  const [theme, setTheme] = useState(remembered);
  return (
    <Pick
      label="Theme"
      value={theme}
      options={THEMES.map((value) => ({ value, text: NAMES[value] }))}
      onChange={(chosen) => {
        apply(chosen);
        keep("localStorage", "theme", chosen);
        setTheme(chosen);
      }}
    />
  );
}
