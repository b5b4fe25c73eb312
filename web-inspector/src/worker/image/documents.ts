// Manifests, indexes and configs: the documents that lead from a name to layers.

import { failure } from "../fault";
import { annotations, digest, isObject, list, readJson, size, text, type Json } from "../json";
import { LAYERS, MANIFESTS } from "../limits";
import type { Platform } from "./platform";

/** What an index and an image are, in each of the two forms. */
export const OCI = ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"] as const;
export const DOCKER = [
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
] as const;
const INDEXES: readonly string[] = [OCI[0], DOCKER[0]];
const IMAGES: readonly string[] = [OCI[1], DOCKER[1]];
const SCHEMA1 = [
  "application/vnd.docker.distribution.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
];
const CONFIGS = ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
/** What servers write that know nothing of manifests. */
const GENERIC = ["", "application/json", "application/octet-stream", "text/plain"];

/** A document that another one points to. */
export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations: Record<string, string>;
  platform: Platform | undefined;
}

export interface Index {
  kind: "index";
  manifests: Descriptor[];
}

export interface Manifest {
  kind: "manifest";
  config: Descriptor;
  layers: Descriptor[];
}

/** What a config says that matters here. */
interface Config {
  diffIds: string[];
  platform: Platform | undefined;
}

/** Reads a document that came with this content type. */
export function readDocument(bytes: Uint8Array, contentType: string, what: string): Index | Manifest {
  const header = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  const json = readJson(bytes, what);
  const inside = text(json.mediaType);
  if (json.schemaVersion === 1 || SCHEMA1.includes(inside) || SCHEMA1.includes(header)) {
    throw failure("input", `${what} is in the old Docker schema 1, which has no layer descriptors`, {
      hint: "Push the image again with a current tool.",
    });
  }
  const generic = GENERIC.includes(header);
  const isIndex = json.manifests !== undefined && json.manifests !== null;
  const isImage = (json.layers ?? json.config ?? undefined) !== undefined;
  // One digest, two meanings: which one is taken would depend on the reader (CVE-2021-41190).
  if ((inside !== "" && !generic && inside !== header) || (isIndex && isImage)) {
    throw failure("lie", `${what} claims to be two kinds of document`);
  }
  const mediaType = inside || (generic ? "" : header) || (isIndex ? OCI[0] : OCI[1]);
  if (INDEXES.includes(mediaType)) return readIndex(json, what);
  if (IMAGES.includes(mediaType)) return readManifest(json, what);
  throw failure("input", `${what} is not a container image but ${JSON.stringify(mediaType)}`);
}

/** Reads an index: also a layout's. */
export function readIndex(json: Json, what: string): Index {
  const manifests = list(json.manifests, `the list of manifests in ${what}`, MANIFESTS);
  return { kind: "index", manifests: manifests.map((entry, index) => descriptor(entry, `manifest ${index + 1} in ${what}`)) };
}

function readManifest(json: Json, what: string): Manifest {
  const config = descriptor(json.config, `the config in ${what}`);
  if (!CONFIGS.includes(config.mediaType)) {
    throw failure("input", `${what} is not a container image but ${JSON.stringify(config.mediaType)}`);
  }
  const layers = list(json.layers, `the list of layers in ${what}`, LAYERS);
  return { kind: "manifest", config, layers: layers.map((layer, index) => readLayer(layer, index)) };
}

function readLayer(value: unknown, index: number): Descriptor {
  const what = `layer ${index + 1}`;
  const layer = descriptor(value, what);
  const type = layer.mediaType;
  const shown = JSON.stringify(type);
  if (type.endsWith("+encrypted")) {
    throw failure("input", `${what} is encrypted (${shown})`, {
      hint: "Decrypt the image first, for example with skopeo copy --decryption-key.",
    });
  }
  const elsewhere = isObject(value) && Array.isArray(value.urls) && value.urls.length > 0;
  if (elsewhere || type.includes("foreign") || type.includes("nondistributable")) {
    throw failure("input", `${what} lies outside the registry (${shown})`);
  }
  const known =
    /^application\/vnd\.(oci\.image\.layer\.v1\.tar(|\+gzip|\+zstd)|docker\.image\.rootfs\.diff\.tar(|\.gzip|\.zstd))$/;
  if (!known.test(type)) throw failure("input", `${what} has media type ${shown}, which is not a layer's`);
  return layer;
}

/** Reads a config that must have as many DiffIDs as there are layers. */
export function readConfig(bytes: Uint8Array, layers: number): Config {
  const json = readJson(bytes, "the config");
  const rootfs = isObject(json.rootfs) ? json.rootfs : {};
  const diffIds = list(rootfs.diff_ids, "diff_ids in the config", LAYERS);
  if (diffIds.length !== layers) {
    throw failure("input", `the manifest has ${layers} layers, the config ${diffIds.length} diff_ids`);
  }
  return {
    diffIds: diffIds.map((id, index) => digest(id, `diff_id ${index + 1} in the config`)),
    platform: platform(json),
  };
}

function descriptor(value: unknown, what: string): Descriptor {
  if (!isObject(value)) throw failure("input", `${what} is not an object`);
  return {
    mediaType: text(value.mediaType),
    digest: digest(value.digest, what),
    size: size(value.size, `the size of ${what}`),
    annotations: annotations(value.annotations),
    platform: platform(value.platform),
  };
}

function platform(value: unknown): Platform | undefined {
  if (!isObject(value)) return undefined;
  const [os, architecture, variant] = [text(value.os), text(value.architecture), text(value.variant)];
  return os || architecture ? { os, architecture, variant: variant || undefined } : undefined;
}
