// Images, and the bytes of their blobs: from a layout (a folder, or a static web server) or from a registry.
//
// Nothing here is of node alone: the page in ../browser uses the same lines. What an HTTP answer means is decided by the
// core, so that it means the same in every shell.

const MANIFEST_TYPES = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
/** No document is longer: the limit that registries have too. */
const MAX_DOCUMENT = 4 * 1024 * 1024;

/**
 * Opens an image in an OCI layout.
 *
 * `get(path, range)` yields the bytes of a file of the layout, `sha256(bytes)` resolves to a digest.
 */
export async function openLayout(ref, tag, get, sha256) {
  const index = JSON.parse(text(await document(get("index.json"))));
  const named = index.manifests.filter(
    (manifest) => tag === undefined || manifest.annotations?.["org.opencontainers.image.ref.name"] === tag,
  );
  if (named.length !== 1) throw new Error(`${ref}: ${named.length} images have that name`);
  const path = (digest) => `blobs/${digest.replace(":", "/")}`;
  const read = (layer, range) => get(path(layer.blob), range);
  const image = await open(ref, named[0].digest, (digest) => get(path(digest)), read, sha256);
  return { ...image, beside: "TAG-esgztoc, which is looked for in registries only" };
}

/** Opens an image in a registry that asks for no password: `http://HOST:PORT/REPO:TAG`. */
export async function openRegistry(core, ref, sha256) {
  const [, host, repository, tag] = /^(https?:\/\/[^/]+)\/(.+):([^:/]+)$/.exec(ref) ?? [];
  if (!tag) throw new Error(`${ref}: expected http://HOST:PORT/REPO:TAG`);
  const url = `${host}/v2/${repository}`;
  const manifest = await fetch(`${url}/manifests/${tag}`, { headers: { accept: MANIFEST_TYPES.join(", ") } });
  if (!manifest.ok) throw new Error(`${manifest.url}: status ${manifest.status}`);
  const digest = await sha256(await document(manifest.body));
  const get = async function* (name) {
    const kind = name === digest ? "manifests" : "blobs";
    const answer = await fetch(`${url}/${kind}/${name}`, { headers: { accept: MANIFEST_TYPES.join(", ") } });
    if (!answer.ok) throw new Error(`${answer.url}: status ${answer.status}`);
    yield* answer.body;
  };
  const read = (layer, range) => httpRead(core, `${url}/blobs/${layer.blob}`, range, layer.size);
  const image = await open(ref, digest, get, read, sha256);
  return { ...image, beside: `${tag}-esgztoc, which this program does not look for` };
}

/** Yields the bytes of a range of what is at `url`, of all of it where no range is given. */
export async function* httpRead(core, url, range, size) {
  const headers = range ? { range: core.rangeHeader(range) } : {};
  const answer = await fetch(url, { headers });
  const reply = {
    status: answer.status,
    contentRange: answer.headers.get("content-range"),
    contentLength: answer.headers.get("content-length"),
    contentType: answer.headers.get("content-type"),
    contentEncoding: answer.headers.get("content-encoding"),
  };
  const verdict = range ? core.accept(reply, range, size) : core.acceptWhole(reply, size);
  if (verdict.tag === "refused") throw new Error(`${url}: ${verdict.val.message}`);
  // The body may begin before what was asked for, and may be the whole blob.
  let at = verdict.tag === "part" ? verdict.val.start : 0;
  const wanted = range ?? { start: 0, end: Infinity };
  for await (const bytes of answer.body) {
    const piece = bytes.subarray(Math.max(0, wanted.start - at), Math.max(0, wanted.end - at));
    at += bytes.length;
    if (piece.length > 0) yield piece;
    if (at >= wanted.end) break;
  }
}

/** Follows the documents from a digest that is believed. */
async function open(ref, digest, get, read, sha256) {
  const checked = async (wanted) => {
    const bytes = await document(get(wanted));
    if ((await sha256(bytes)) !== wanted) throw new Error(`${ref}: the document ${wanted} is another one`);
    return JSON.parse(text(bytes));
  };
  let manifest = await checked(digest);
  if (manifest.manifests) {
    const fits = ({ platform }) => platform?.os === "linux" && platform?.architecture === "amd64";
    digest = (manifest.manifests.find(fits) ?? manifest.manifests[0]).digest;
    manifest = await checked(digest);
  }
  const { rootfs } = await checked(manifest.config.digest);
  const layers = manifest.layers.map((layer, index) => ({
    blob: layer.digest,
    diffId: rootfs.diff_ids[index],
    mediaType: layer.mediaType,
    size: layer.size,
    annotations: layer.annotations ?? {},
  }));
  return { ref, digest, layers, read };
}

async function document(body) {
  const pieces = [];
  let len = 0;
  for await (const bytes of body) {
    len += bytes.length;
    if (len > MAX_DOCUMENT) throw new Error("a document is too long");
    pieces.push(bytes);
  }
  const all = new Uint8Array(len);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function text(bytes) {
  return new TextDecoder().decode(bytes);
}
