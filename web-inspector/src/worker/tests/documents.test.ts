// Manifests, indexes and configs. Run: npx playwright test -c src/worker/tests

import { expect, test } from "@playwright/test";
import { faultOf } from "../fault";
import { readConfig, readDocument } from "../image/documents";

const DIGEST = `sha256:${"ab".repeat(32)}`;
const OCI = "application/vnd.oci.image.";
const CONFIG = { mediaType: `${OCI}config.v1+json`, digest: DIGEST, size: 2 };
const LAYER = { mediaType: `${OCI}layer.v1.tar+zstd`, digest: DIGEST, size: 10 };
const MANIFEST = { schemaVersion: 2, mediaType: `${OCI}manifest.v1+json`, config: CONFIG, layers: [LAYER] };

function read(document: unknown, contentType = "") {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  return readDocument(new TextEncoder().encode(text), contentType, "it");
}

test("what is an image, and what is an index", () => {
  const manifest = read({ ...MANIFEST, layers: [{ ...LAYER, annotations: { a: "b", c: 1 } }] });
  expect(manifest).toMatchObject({ kind: "manifest", layers: [{ digest: DIGEST, size: 10, annotations: { a: "b" } }] });
  expect(read({ ...MANIFEST, mediaType: undefined, layers: null }, "text/plain; charset=utf-8")).toMatchObject({ layers: [] });
  const entry = { ...CONFIG, mediaType: `${OCI}manifest.v1+json`, platform: { os: "linux", architecture: "arm", variant: "v7" } };
  for (const type of [`${OCI}index.v1+json`, "application/vnd.docker.distribution.manifest.list.v2+json"]) {
    const index = read({ schemaVersion: 2, manifests: [entry] }, type.toUpperCase());
    expect(index).toMatchObject({ kind: "index", manifests: [{ platform: { os: "linux", architecture: "arm", variant: "v7" } }] });
  }
});

test("names that objects have anyway are no annotations", () => {
  const text = JSON.stringify({ ...MANIFEST, layers: [{ ...LAYER, annotations: { x: "y" } }] }).replace('"x"', '"__proto__"');
  const manifest = read(text);
  const annotations = manifest.kind === "manifest" ? manifest.layers[0]?.annotations : undefined;
  expect(Object.keys(annotations ?? {})).toEqual(["__proto__"]);
  expect(annotations?.constructor).toBeUndefined();
  expect(({} as Record<string, unknown>).x).toBeUndefined();
});

test("what leads to no image is refused", () => {
  const layer = (changes: object) => ({ ...MANIFEST, layers: [{ ...LAYER, ...changes }] });
  const table: [unknown, string, string][] = [
    ["", "not JSON", "input"],
    ["[]", "not a JSON object", "input"],
    ["\ud800", "not JSON", "input"],
    [{ ...MANIFEST, schemaVersion: 1 }, "schema 1", "input"],
    [{ ...MANIFEST, manifests: [] }, "two kinds", "lie"],
    [{ ...MANIFEST, mediaType: "text/html" }, "not a container image", "input"],
    [{ ...MANIFEST, config: { ...CONFIG, mediaType: "application/vnd.cncf.helm.config.v1+json" } }, "helm", "input"],
    [{ ...MANIFEST, config: { ...CONFIG, digest: "sha256:../x" } }, "no SHA-256 digest", "input"],
    [{ ...MANIFEST, layers: {} }, "not a list", "input"],
    [{ ...MANIFEST, layers: Array(1001).fill(LAYER) }, "1001 items", "limit"],
    [layer({ size: -1 }), "not a size", "input"],
    [layer({ size: 2 ** 53 }), "not a size", "input"],
    [layer({ size: "10" }), "not a size", "input"],
    [layer({ digest: undefined }), "layer 1 has no SHA-256", "input"],
    [layer({ urls: ["https://example.com/"] }), "outside the registry", "input"],
    [layer({ mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" }), "outside the registry", "input"],
    [layer({ mediaType: `${LAYER.mediaType}+encrypted` }), "encrypted", "input"],
    [layer({ mediaType: "application/octet-stream" }), "not a layer's", "input"],
    [layer({ annotations: Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`k${at}`, "v"])) }), "1001 annotations", "limit"],
  ];
  for (const [document, reason, kind] of table) {
    let fault;
    try {
      read(document);
    } catch (error) {
      fault = faultOf(error);
    }
    expect(fault?.message, reason).toContain(reason);
    expect(fault?.kind, reason).toBe(kind);
  }
  expect(() => read(MANIFEST, `${OCI}index.v1+json`)).toThrow("two kinds");
});

test("a config has as many DiffIDs as the manifest has layers", () => {
  const config = (json: unknown) => new TextEncoder().encode(JSON.stringify(json));
  const rootfs = { type: "layers", diff_ids: [DIGEST] };
  expect(readConfig(config({ os: "linux", architecture: "amd64", rootfs }), 1)).toEqual({
    diffIds: [DIGEST],
    platform: { os: "linux", architecture: "amd64", variant: undefined },
  });
  expect(() => readConfig(config({ rootfs }), 2)).toThrow("2 layers, the config 1");
  expect(() => readConfig(config({ rootfs: { diff_ids: null } }), 1)).toThrow("1 layers, the config 0");
  expect(() => readConfig(config({ rootfs: { diff_ids: ["x"] } }), 1)).toThrow("diff_id 1");
  expect(readConfig(config({}), 0).platform).toBeUndefined();
});
