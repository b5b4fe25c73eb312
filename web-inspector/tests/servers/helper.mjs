// `shingle inspect --web`: the command that serves the page, and fetches for it.
import { binary, dist } from "../help/shingle.mjs";
import { start } from "./child.mjs";

/** How long it may take to say where the page is: it looks at the images first, and machines can be busy. */
const PATIENCE = 60_000;

/** Starts it for `refs`; resolves once it has said where the page is. */
export async function serveHelper(refs, ...options) {
  const args = ["inspect", "--web", "--no-open", "--page", dist, ...options, ...refs];
  const { child, ended, end } = start(binary(), args, ["ignore", "pipe", "pipe"]);
  let said = "";
  const address = new Promise((found) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        said += text;
        const address = /http:\/\/127\.0\.0\.1:\d+\/\S+/.exec(said)?.[0];
        if (address) found(address);
      });
    }
  });
  let late;
  const waited = new Promise((over) => (late = setTimeout(over, PATIENCE)));
  const url = await Promise.race([address, ended.then(() => undefined), waited]);
  clearTimeout(late);
  if (!url) {
    await end("SIGKILL");
    throw new Error(`it does not say where the page is: ${said}`);
  }
  return { url, said: () => said, close: () => end("SIGTERM") };
}
