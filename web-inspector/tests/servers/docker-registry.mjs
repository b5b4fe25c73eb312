// The real docker-registry on loopback, set up as its documentation says for pages of other origins.
import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { start } from "./child.mjs";

/** Why it cannot run here; undefined when it can. */
export function missing() {
  try {
    execFileSync("docker-registry", ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "docker-registry is not installed";
  }
}

export async function serveDockerRegistry() {
  const folder = mkdtempSync(join(tmpdir(), "shingle-registry-"));
  const port = await free();
  const config = {
    version: "0.1",
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: folder } },
    http: {
      addr: `127.0.0.1:${port}`,
      secret: "loopback",
      headers: {
        "Access-Control-Allow-Origin": ["*"],
        "Access-Control-Allow-Methods": ["HEAD", "GET", "OPTIONS"],
        "Access-Control-Allow-Headers": ["Authorization", "Accept", "Range"],
        "Access-Control-Expose-Headers": ["Docker-Content-Digest", "Content-Range"],
      },
    },
  };
  writeFileSync(join(folder, "config.yml"), JSON.stringify(config));
  const { end } = start("docker-registry", ["serve", join(folder, "config.yml")], "ignore");
  const host = `127.0.0.1:${port}`;
  const close = async () => {
    await end("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer?.ok) return { host, close };
    await wait(100);
  }
  await close();
  throw new Error(`docker-registry does not answer on ${host}`);
}

/** A port that nobody listens on. */
async function free() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}
