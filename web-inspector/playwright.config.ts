import { defineConfig } from "@playwright/test";

import { LAUNCH } from "./tests/help/chromium.mjs";

export default defineConfig({
  // In a browser; and what needs none, beside what it tests.
  testMatch: ["tests/*.test.mjs", "src/*/tests/*.test.ts"],
  outputDir: "test-results",
  globalSetup: "./tests/help/setup.mjs",
  reporter: [["list"], ["./tests/help/reporter.mjs"]],
  fullyParallel: true,
  workers: 2,
  // A test that passes the second time has found something all the same.
  retries: 0,
  forbidOnly: process.env.CI === "true",
  timeout: 120_000,
  expect: { timeout: 20_000 },
  use: { acceptDownloads: true, actionTimeout: 15_000, launchOptions: LAUNCH, trace: "retain-on-failure", viewport: { width: 1280, height: 900 } },
});
