// The browser: what PLAYWRIGHT_CHROMIUM names, else what the system has. Playwright's own downloads are not needed.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** How Playwright starts it: without what calls home, and without a sandbox, which root cannot have. */
export const LAUNCH = {
  executablePath: chromium(),
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

function chromium() {
  if (process.env.PLAYWRIGHT_CHROMIUM) return process.env.PLAYWRIGHT_CHROMIUM;
  const folders = ["/usr/bin", ...(process.env.PATH ?? "").split(delimiter)];
  for (const path of folders.flatMap((folder) => ["chromium", "google-chrome"].map((name) => join(folder, name)))) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next one.
    }
  }
  throw new Error("no Chromium: install it, or name it in PLAYWRIGHT_CHROMIUM");
}
