// The name of an image in a registry, read as the command reads it.

import { failure } from "../fault";
import { isDigest } from "../json";

const HUB = "docker.io";
const HUB_API = "registry-1.docker.io";
const LONGEST = 255;

/** `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`, filled up: `alpine` is `docker.io/library/alpine:latest`. */
export interface Reference {
  host: string;
  repository: string;
  tag: string | undefined;
  /** Decides, where there is one. */
  digest: string | undefined;
}

/** Reads a reference, with or without `docker://` before it. */
export function readReference(given: string): Reference {
  const fault = (problem: string, hint?: string) =>
    failure("input", `${JSON.stringify(given.slice(0, 300))} is not an image reference: ${problem}`, { hint });
  let text = given.trim().replace(/^docker:\/\//, "");
  const scheme = /^(.{0,40}?):\/\//.exec(text)?.[1];
  if (scheme !== undefined) throw fault(`${scheme}:// is not a kind of source`, "Leave the scheme out.");
  let digest: string | undefined;
  const at = text.indexOf("@");
  if (at >= 0) {
    digest = text.slice(at + 1);
    text = text.slice(0, at);
    if (!isDigest(digest)) throw fault("the part after @ is not a SHA-256 digest");
  }
  // A colon before a slash belongs to the host's port.
  const [, name = "", tag] = /^(.*?)(?::([^:/]*))?$/s.exec(text) ?? [];
  if (name === "") throw fault("there is no repository in it", "Write HOST/REPOSITORY:TAG, such as quay.io/fedora/fedora:latest.");
  if (tag !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(tag)) throw fault(`${JSON.stringify(tag)} is not a tag`);
  if (/^[0-9a-f]{64}$/.test(name)) {
    throw fault("a digest alone does not say where the image is", "Write the repository before it.");
  }
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const [host, path] = slash >= 0 && namesAHost(first) ? [first, name.slice(slash + 1)] : [HUB, name];
  if (!isHost(host)) throw fault(`${JSON.stringify(host)} is not a host name`);
  const known = host === "index.docker.io" ? HUB : host;
  const repository = known === HUB && !path.includes("/") ? `library/${path}` : path;
  if (/[A-Z]/.test(path)) throw fault(`the repository ${JSON.stringify(path)} must be lower case`);
  const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
  if (!repository.split("/").every((part) => component.test(part))) {
    throw fault(`${JSON.stringify(path)} is not a repository name`);
  }
  const length = known.length + 1 + repository.length;
  if (length > LONGEST) throw fault(`host and repository have ${length} characters, at most ${LONGEST} are allowed`);
  return { host: known, repository, tag: tag ?? (digest === undefined ? "latest" : undefined), digest };
}

export function writeReference({ host, repository, tag, digest }: Reference): string {
  return `${host}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** Where the registry answers. This machine's own need no encryption. */
export function apiOf({ host, repository }: Reference): string {
  const api = host === HUB ? HUB_API : host;
  return `${isLoopback(host) ? "http" : "https"}://${api}/v2/${repository}`;
}

/** Whether a host is this machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host);
}

/** Whether the first of several components is a host: the rule of distribution/reference. */
function namesAHost(first: string): boolean {
  return /[.:[A-Z]/.test(first) || first === "localhost";
}

function isHost(host: string): boolean {
  const [, name, port] = /^(\[[0-9a-fA-F:.]{2,45}\]|[^:[\]]*)(?::(\d*))?$/.exec(host) ?? [];
  if (name === undefined || (port !== undefined && !(port !== "" && Number(port) <= 65_535))) return false;
  const label = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;
  if (!name.startsWith("[") && !name.split(".").every((part) => label.test(part))) return false;
  // Whatever the browser makes of it must be what was written.
  return URL.canParse(`https://${host}/`);
}
