// Images whose documents were read, but not yet their layers.

import type { Known } from "@shingle/core";
import type { Origin } from "../../protocol";
import { failure } from "../fault";
import { CONFIG_BYTES, MANIFEST_BYTES } from "../limits";
import type { Source } from "../source";
import type { Task } from "../task";
import { readConfig, readDocument, type Descriptor, type Index, type Manifest } from "./documents";
import { COMMON, rank, writePlatform } from "./platform";

/** An image, and where its layers' bytes are. */
export interface FoundImage {
  name: string;
  origin: Origin;
  digest: string | undefined;
  platform: string | undefined;
  layers: FoundLayer[];
}

/** A layer as manifest and config describe it. */
export interface FoundLayer {
  blob: string;
  diffId: string;
  mediaType: string;
  blobLen: number;
  annotations: Record<string, string>;
  source: Source;
  /** Knows it whole in a better way than by reading its blob here. */
  readWhole?: (task: Task, why: string) => Promise<Known>;
  /** Frees what is kept for `readWhole`. */
  free?: () => void;
}

/** Brings documents, each checked against its digest and its length. */
export type Fetch = (kind: "manifest" | "blob", what: Descriptor, limit: number) => Promise<Uint8Array>;

/** A document that a name led to. */
export interface Top {
  bytes: Uint8Array;
  digest: string;
  contentType: string;
}

/** Which of an index' images is opened: what most machines pull, or where there is none such, any. */
type Choice = "common" | "any";

/** Follows the documents from a name to the layers. */
export async function resolve(
  top: Top,
  choice: Choice,
  fetch: Fetch,
  source: (layer: Descriptor) => Source,
): Promise<Pick<FoundImage, "digest" | "platform" | "layers">> {
  let { digest } = top;
  let document = readDocument(top.bytes, top.contentType, `manifest ${top.digest}`);
  if (document.kind === "index") {
    const chosen = choose(document, choice);
    digest = chosen.digest;
    const bytes = await fetch("manifest", chosen, MANIFEST_BYTES);
    document = readDocument(bytes, chosen.mediaType, `manifest ${digest}`);
    if (document.kind === "index") throw failure("input", "the index leads to another index");
  }
  const manifest: Manifest = document;
  const config = readConfig(await fetch("blob", manifest.config, CONFIG_BYTES), manifest.layers.length);
  return {
    digest,
    platform: config.platform && writePlatform(config.platform),
    layers: manifest.layers.map((layer, index) => ({
      blob: layer.digest,
      diffId: config.diffIds[index] ?? "",
      mediaType: layer.mediaType,
      blobLen: layer.size,
      annotations: layer.annotations,
      source: source(layer),
    })),
  };
}

/** Picks the manifest that suits best, the first of several. */
function choose(index: Index, choice: Choice): Descriptor {
  // Attestations hide in indexes as unknown/unknown.
  const offered = index.manifests.filter(({ platform }) => platform && platform.os !== "unknown");
  let best: { descriptor: Descriptor; rank: number } | undefined;
  for (const descriptor of offered) {
    const value = descriptor.platform && rank(COMMON, descriptor.platform);
    if (value !== undefined && (!best || value < best.rank)) best = { descriptor, rank: value };
  }
  if (best) return best.descriptor;
  const [only, second] = index.manifests;
  // Nothing to choose from, and nothing said against it.
  if (only && !second && !only.platform) return only;
  if (choice === "any" && offered[0]) return offered[0];
  const names = offered.slice(0, 20).map(({ platform }) => platform && writePlatform(platform));
  throw failure("input", `there is no image for ${writePlatform(COMMON)}, only for: ${names.join(", ") || "nothing"}`, {
    hint: names.length > 0 ? "For another machine, run shingle inspect --web --platform OS/ARCHITECTURE." : undefined,
  });
}
