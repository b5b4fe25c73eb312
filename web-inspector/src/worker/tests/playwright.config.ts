import { defineConfig } from "@playwright/test";

/** Run: npx playwright test -c src/worker/tests. These need no browser and no core. */
export default defineConfig({ testDir: ".", testMatch: "*.test.ts", reporter: "list" });
