import { fileURLToPath } from "node:url";
import { type Plugin, defineConfig } from "vite";

/** The npm package as `cargo xtask wasm --only npm` leaves it. */
const core = fileURLToPath(new URL("../target/wasm/npm/core/inspector/", import.meta.url));

/** Where this and the package lie. */
const repository = fileURLToPath(new URL("..", import.meta.url));

/** While the page is worked on, Vite writes styles into it, which the page's policy forbids. What is built keeps it. */
const working: Plugin = {
  name: "no-policy-while-working",
  apply: "serve",
  transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, ""),
};

export default defineConfig({
  plugins: [working],
  server: { fs: { allow: [repository] } },
  // Relative, because the command serves the page below a path that nobody can guess, and anybody may put it anywhere.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  resolve: { alias: { "@shingle/core": `${core}shingle.js`, "@shingle/core.wasm": `${core}shingle_bg.wasm` } },
  worker: { format: "es" },
  build: {
    target: "es2023",
    // A data: URL would need more of the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
