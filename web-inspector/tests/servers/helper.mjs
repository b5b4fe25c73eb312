// `shingle inspect --web`: the command that serves the page, and fetches for it.
import { spawn } from "node:child_process";

import { binary, dist } from "../help/shingle.mjs";

/** Starts it for `refs`; resolves once it has said where the page is. */
export async function serveHelper(refs, ...options) {
  const args = ["inspect", "--web", "--no-open", "--page", dist, ...options, ...refs];
  const process = spawn(binary(), args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const ended = new Promise((exited) => process.once("exit", exited));
  const url = await new Promise((found, failed) => {
    const late = setTimeout(() => failed(new Error(`no address within 20 s: ${said}`)), 20_000);
    const listen = (stream) =>
      stream.setEncoding("utf8").on("data", (text) => {
        said += text;
        const address = /http:\/\/127\.0\.0\.1:\d+\/\S+/.exec(said)?.[0];
        if (address) found((clearTimeout(late), address));
      });
    listen(process.stdout);
    listen(process.stderr);
    process.on("exit", (code) => failed(new Error(`it ended with ${code}: ${said}`)));
  });
  return {
    url,
    said: () => said,
    /** Ends it, and waits for that. */
    close: () => (process.kill("SIGTERM"), ended),
  };
}
