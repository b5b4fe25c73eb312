import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { defineConfig } from "@playwright/test";

/** The browser: what PLAYWRIGHT_CHROMIUM names, else what the system has. Playwright's own downloads are not needed. */
function chromium(): string {
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

export default defineConfig({
  testDir: "tests",
  testMatch: "*.test.mjs",
  outputDir: "test-results",
  globalSetup: "./tests/help/setup.mjs",
  reporter: [["list"], ["./tests/help/reporter.mjs"]],
  fullyParallel: true,
  workers: 2,
  // A test that passes the second time has found something all the same.
  retries: 0,
  forbidOnly: process.env.CI === "true",
  timeout: 60_000,
  expect: { timeout: 15_000 },
  use: {
    acceptDownloads: true,
    trace: "retain-on-failure",
    viewport: { width: 1280, height: 900 },
    launchOptions: {
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
    },
  },
});
