// Node reads the module from beside this file; browsers fetch it (see the README).
import { readFileSync } from "node:fs";
import { initSync } from "./shingle.js";

initSync({ module: readFileSync(new URL("./shingle_bg.wasm", import.meta.url)) });

export * from "./shingle.js";
export { default } from "./shingle.js";
