#!/usr/bin/env node
// Times a build of the package in node: node bench.mjs PACKAGE_DIR oci:DIR[:TAG] [RUNS]. See speed.mjs for what is timed.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { entry, firstLayer } from "./layer.mjs";
import { bench } from "./speed.mjs";

const [folder, ref, runs = "3"] = process.argv.slice(2);
const { script, module } = entry(folder);
const core = await import(pathToFileURL(resolve(folder, script)));
const { memory } = core.initSync({ module: readFileSync(join(folder, module)) });
const { layer, path } = await firstLayer(ref);
console.log(JSON.stringify(bench(core, memory, layer, new Uint8Array(readFileSync(path)), Number(runs))));
