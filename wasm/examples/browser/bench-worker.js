// Times the core in a worker: the page says what, and gets milliseconds.
import { bench } from "./speed.mjs";

self.addEventListener("message", async ({ data: { script, layer, runs } }) => {
  try {
    const core = await import(new URL(script, self.location.href));
    const { memory } = await core.default();
    const blob = new Uint8Array(await (await fetch("blob")).arrayBuffer());
    self.postMessage({ answer: bench(core, memory, layer, blob, runs) });
  } catch (error) {
    self.postMessage({ error: `${error.name}: ${error.message}` });
  }
});
