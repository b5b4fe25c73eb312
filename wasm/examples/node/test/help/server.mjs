// A static web server on loopback, with ranges, and the strictest policy that the page needs.
import { createServer } from "node:http";
import { createReadStream, existsSync, statSync } from "node:fs";
import { extname, join, normalize } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'";

/** Serves `mounts`, a list of [prefix, folder or file], the first that fits; counts what is asked for. */
export async function serve(mounts, { ranges = true } = {}) {
  const asked = [];
  const server = createServer((request, answer) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname));
    asked.push({ path, range: request.headers.range });
    const mount = mounts.find(([prefix]) => path.startsWith(prefix));
    const file = mount && within(mount[1], path.slice(mount[0].length));
    if (!file || !existsSync(file) || !statSync(file).isFile()) return void answer.writeHead(404).end();
    const { size } = statSync(file);
    const headers = {
      "content-security-policy": POLICY,
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    };
    const [, from, to] = (ranges && /^bytes=(\d+)-(\d+)$/.exec(request.headers.range)) || [];
    if (from === undefined) {
      answer.writeHead(200, { ...headers, "content-length": size });
      createReadStream(file).pipe(answer);
      return;
    }
    const [start, end] = [Number(from), Math.min(Number(to), size - 1)];
    const range = { "content-length": end - start + 1, "content-range": `bytes ${start}-${end}/${size}` };
    answer.writeHead(206, { ...headers, ...range });
    createReadStream(file, { start, end }).pipe(answer);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${server.address().port}`, asked, close: () => (server.close(), server.closeAllConnections()) };
}

/** A mount may be a file, or a folder with an index. */
function within(mount, rest) {
  if (rest !== "") return join(mount, rest);
  return statSync(mount).isDirectory() ? join(mount, "index.html") : mount;
}
