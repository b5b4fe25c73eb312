// A server of static files on loopback, as anybody might put the page on: with a strict policy, at any path.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
/** No less than the page needs, and no more; registries of the tests are on loopback. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self' http://127.0.0.1:*",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Serves `folder` below `prefix`; `change` may put something else in a file's place. */
export async function serveStatic(folder, { prefix = "/", change = (_, bytes) => bytes } = {}) {
  const asked = [];
  const held = [];
  const server = createServer(async (request, answer) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname));
    asked.push(path);
    // Whoever holds an answer back lets it go later.
    await Promise.all(held.filter(({ pattern }) => pattern.test(path)).map(({ released }) => released));
    const inside = path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
    const file = inside === undefined ? undefined : join(folder, inside === "" ? "index.html" : inside);
    const read = file && !inside.includes("..") ? await readFile(file).catch(() => undefined) : undefined;
    const bytes = read && change(path, read);
    if (!bytes) return void answer.writeHead(404, { "content-security-policy": POLICY }).end();
    const hashed = /-[\w-]{8}\.\w+$/.test(file);
    answer.writeHead(200, {
      "content-security-policy": POLICY,
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      "content-length": bytes.length,
      "x-content-type-options": "nosniff",
      "cache-control": hashed ? "public, max-age=31536000, immutable" : "no-cache",
    });
    answer.end(bytes);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${server.address().port}${prefix}`,
    asked,
    /** Holds back what fits `pattern`; returns what lets it go. */
    hold(pattern) {
      let resolve;
      const released = new Promise((go) => (resolve = go));
      held.push({ pattern, released });
      return resolve;
    },
    close: () => (server.close(), server.closeAllConnections()),
  };
}

