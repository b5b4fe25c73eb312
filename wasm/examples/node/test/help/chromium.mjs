// Chromium without a window, spoken to over a pair of pipes: no WebSocket, no package.
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--remote-debugging-pipe",
];

/** Opens a page, and returns what runs code in it and what ends the browser. */
export async function openPage(program, url) {
  const profile = mkdtempSync(join(tmpdir(), "shingle-chromium-"));
  const browser = spawn(program, [...FLAGS, `--user-data-dir=${profile}`, "about:blank"], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const waiting = new Map();
  const events = [];
  let rest = "";
  browser.stdio[4].setEncoding("utf8").on("data", (text) => {
    const messages = (rest + text).split("\0");
    rest = messages.pop();
    for (const message of messages.map((message) => JSON.parse(message))) {
      if (message.id === undefined) events.push(message);
      waiting.get(message.id)?.(message);
    }
  });
  let id = 0;
  const send = (method, params, sessionId) =>
    new Promise((resolve, reject) => {
      id += 1;
      waiting.set(id, ({ result, error }) => (error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result)));
      browser.once("exit", () => reject(new Error("chromium ended")));
      browser.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  browser.setMaxListeners(0);
  const close = async () => {
    const gone = new Promise((exited) => browser.once("exit", exited));
    browser.kill("SIGKILL");
    await gone;
    // Its children write a little longer; what they still hold after that is in the temporary directory.
    for (let tries = 0; tries < 50; tries += 1) {
      const left = await rm(profile, { recursive: true, force: true }).catch((error) => error);
      if (!left) return;
      await wait(100);
    }
  };
  try {
    const { targetId } = await send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
    for (const domain of ["Page", "Network", "Log", "Runtime"]) await send(`${domain}.enable`, {}, sessionId);
    await send("Page.navigate", { url }, sessionId);
    const run = async (expression) => {
      const said = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, sessionId);
      if (said.exceptionDetails) throw new Error(said.exceptionDetails.exception.description);
      return said.result.value;
    };
    return { run, events, close };
  } catch (error) {
    await close();
    throw error;
  }
}
