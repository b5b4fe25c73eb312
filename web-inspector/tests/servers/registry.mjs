// A registry on loopback over OCI layouts, with a switch for each way in which registries differ, or lie.
import { createServer } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

const REF_NAME = "org.opencontainers.image.ref.name";

/** How it behaves at first. `registry.switches` can be changed at any time. */
const HONEST = {
  /** Lets pages of other origins ask, and read the headers that matter. */
  cors: true,
  /** Wants a token from its own /token, and says so in WWW-Authenticate. */
  token: false,
  /** `whole`: answers 200 with everything. `wider`: more than was asked for, and says so. `short`: fewer bytes than said.
      `other`: other bytes than said. `flipped`: a wrong bit. `refused`: answers 416. */
  ranges: "right",
  /** `endless`: what comes in a manifest's place does not end. */
  manifests: "right",
  /** So many more requests are answered 429. */
  busy: 0,
  /** Milliseconds before each answer. */
  delay: 0,
  /** Bytes each second; 0 for no limit. */
  speed: 0,
};

/** Serves `layouts`, folders by repository. */
export async function serveRegistry(layouts, switches = {}) {
  const registry = { switches: { ...HONEST, ...switches }, log: [], close: undefined };
  const server = createServer((request, answer) => void respond(request, answer).catch(() => answer.destroy()));

  async function respond(request, answer) {
    const { cors, token, delay, speed } = registry.switches;
    const url = new URL(request.url, "http://x");
    const line = { method: request.method, path: url.pathname, range: request.headers.range, status: 0, bytes: 0 };
    registry.log.push(line);
    const headers = cors ? allowed(request) : {};
    const send = async (status, more = {}, bytes = Buffer.alloc(0)) => {
      line.status = status;
      answer.writeHead(status, { "content-length": bytes.length, ...headers, ...more });
      if (request.method === "HEAD") return void answer.end();
      const piece = speed > 0 ? Math.max(1, Math.ceil(speed / 20)) : bytes.length;
      for (let at = 0; at < bytes.length && !answer.destroyed; at += piece) {
        if (at > 0) await new Promise((later) => setTimeout(later, 50));
        const part = bytes.subarray(at, at + piece);
        line.bytes += part.length;
        answer.write(part);
      }
      answer.end();
    };
    const refuse = (status, code, more = {}) =>
      send(status, { "content-type": "application/json", ...more }, Buffer.from(JSON.stringify({ errors: [{ code, message: code }] })));

    if (delay > 0) await new Promise((later) => setTimeout(later, delay));
    if (request.method === "OPTIONS") return void (await (cors ? send(204) : refuse(405, "UNSUPPORTED")));
    if (request.method !== "GET" && request.method !== "HEAD") return void (await refuse(405, "UNSUPPORTED"));
    if (url.pathname === "/token") {
      return void (await send(200, { "content-type": "application/json" }, Buffer.from('{"token":"open-sesame"}')));
    }
    if (registry.switches.busy > 0) {
      registry.switches.busy -= 1;
      return void (await refuse(429, "TOOMANYREQUESTS", { "retry-after": "1" }));
    }
    if (token && request.headers.authorization !== "Bearer open-sesame") {
      const scope = `repository:${/^\/v2\/(.+)\/(manifests|blobs)\//.exec(url.pathname)?.[1] ?? ""}:pull`;
      const challenge = `Bearer realm="${registry.url}/token",service="loopback",scope="${scope}"`;
      return void (await refuse(401, "UNAUTHORIZED", { "www-authenticate": challenge }));
    }
    if (url.pathname === "/v2/") return void (await send(200, { "content-type": "application/json" }, Buffer.from("{}")));
    const [, repository, kind, name] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url.pathname) ?? [];
    const layout = Object.hasOwn(layouts, repository ?? "") ? layouts[repository] : undefined;
    if (!layout) return void (await refuse(404, "NAME_UNKNOWN"));
    if (kind === "manifests" && registry.switches.manifests === "endless") {
      line.status = 200;
      answer.writeHead(200, { ...headers, "content-type": "application/vnd.oci.image.manifest.v1+json" });
      return void (await pipeline(spaces(line), answer));
    }
    if (kind === "manifests") {
      const found = manifest(layout, name);
      if (!found) return void (await refuse(404, "MANIFEST_UNKNOWN"));
      return void (await send(200, { "content-type": found.mediaType, "docker-content-digest": found.digest }, found.bytes));
    }
    const bytes = blob(layout, name);
    if (!bytes) return void (await refuse(404, "BLOB_UNKNOWN"));
    await sendBlob(send, bytes, request.headers.range);
  }

  /** A blob or a range of it, as honestly as the switch says. */
  async function sendBlob(send, bytes, asked) {
    const { ranges } = registry.switches;
    const type = { "content-type": "application/octet-stream", "accept-ranges": "bytes" };
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(asked ?? "") ?? [];
    if (first === undefined || ranges === "whole") return send(200, type, bytes);
    if (ranges === "refused") return send(416);
    let start = Number(first);
    const end = Math.min(last === "" ? Infinity : Number(last) + 1, bytes.length);
    if (start >= end) return send(416, { "content-range": `bytes */${bytes.length}` });
    if (ranges === "wider") start = Math.max(0, start - 1);
    const shift = ranges === "other" ? 1 : 0;
    let part = Buffer.from(bytes.subarray(start - shift, end - shift));
    const said = { ...type, "content-range": `bytes ${start}-${end - 1}/${bytes.length}` };
    if (ranges === "short") part = part.subarray(0, Math.ceil(part.length / 2));
    if (ranges === "flipped") part[part.length >> 1] ^= 1;
    return send(206, said, part);
  }

  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  registry.host = `127.0.0.1:${server.address().port}`;
  registry.url = `http://${registry.host}`;
  registry.close = () => (server.close(), server.closeAllConnections());
  /** What was sent of blobs and how often they were asked for; of layers only, if their digests are given. */
  registry.sent = (digests) => {
    const lines = registry.log.filter(({ method, path }) => method === "GET" && path.includes("/blobs/"));
    const those = digests ? lines.filter(({ path }) => digests.some((digest) => path.endsWith(digest))) : lines;
    return { bytes: those.reduce((sum, line) => sum + line.bytes, 0), requests: those.length };
  };
  return registry;
}

/** Until nobody listens, but no more than a test that found something can bear. */
function* spaces(line) {
  const piece = Buffer.alloc(64 << 10, " ");
  for (; line.bytes < 256 << 20; line.bytes += piece.length) yield piece;
}

function allowed(request) {
  return {
    "access-control-allow-origin": request.headers.origin ?? "*",
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
    "access-control-allow-headers": "Authorization, Accept, Range",
    "access-control-expose-headers":
      "Content-Length, Content-Range, Docker-Content-Digest, Retry-After, WWW-Authenticate",
    vary: "Origin",
  };
}

function manifest(layout, name) {
  const { manifests } = JSON.parse(readFileSync(join(layout, "index.json")));
  const named = manifests.find(({ digest, annotations }) => digest === name || annotations?.[REF_NAME] === name);
  const digest = named?.digest ?? name;
  const bytes = blob(layout, digest);
  return bytes && { bytes, digest, mediaType: named?.mediaType ?? JSON.parse(bytes).mediaType };
}

function blob(layout, digest) {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  const path = hex && join(layout, "blobs/sha256", hex);
  return path && existsSync(path) ? readFileSync(path) : undefined;
}
