// Input that means harm. Each case is what is dropped on the page: files as Playwright takes them.
import { gzipSync } from "node:zlib";

import { digestOf, lying, seal, takeApart } from "./chunked.mjs";
import { archive, blobPath, gzipLayer, layout, plainLayer, putJson, readLayout } from "./layout.mjs";
import { DEMO } from "./images.mjs";
import { member, tar } from "./tar.mjs";
import { bomb, frame } from "./zstd.mjs";

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const OTHER = digestOf("other");
const SCRIPT = "<img src=x onerror=globalThis.__xss=1>";

/** A file to drop. */
const file = (name, buffer) => [{ name, mimeType: "application/octet-stream", buffer }];
const oci = (files) => file("hostile.tar", archive(files));
const image = (...layers) => oci(layout({ hostile: layers }));

const MEMBERS = [
  { name: "a", content: Buffer.alloc(5_000, "a") },
  { name: "dir/", type: "5", mode: 0o755 },
  { name: "dir/f", content: Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * index) >> 7)) },
];
const entry = (name, change) => image(lying(MEMBERS, (parts) => void Object.assign(named(parts, name), change)));
const named = (parts, name) => parts.toc.entries.find((entry) => entry.name === name && entry.type !== "chunk");

/** TOCs that lie, under digests that vouch for the lie. */
export const LIES = {
  "a file beyond the blob": () => entry("a", { offset: 2 ** 50, endOffset: 2 ** 51 }),
  "a file before the blob": () => entry("a", { offset: -5 }),
  "frames that end before they begin": () => entry("a", { endOffset: 1 }),
  "a chunk longer than its file": () => entry("dir/f", { chunkSize: 2 ** 50 }),
  "a file that is larger in the tar-split": () => entry("a", { size: 5_001 }),
  "the TOC of another layer": () => {
    const layer = seal(takeApart(MEMBERS));
    layer.annotations["io.github.containers.zstd-chunked.manifest-checksum"] = OTHER;
    return image(layer);
  },
  "a TOC that unpacks to more than it says": () => image(lying(MEMBERS, (parts) => void Object.assign(parts, { packedToc: bomb(2 ** 30), tocLen: 1_000 }))),
};

/** TOCs that nobody can use: the layer below them is honest, and is read whole, as a pull does. */
export const USELESS = {
  "a size that no file has": () => entry("a", { size: -1 }),
  "a digest that is none": () => entry("a", { digest: "sha256:zz" }),
  "another name in the tar-split": () => entry("a", { name: "../../etc/passwd" }),
  "a TOC at a place beyond the blob": () => {
    const layer = seal(takeApart(MEMBERS));
    layer.annotations["io.github.containers.zstd-chunked.manifest-position"] = `${2 ** 60}:100:200:1`;
    return image(layer);
  },
  "a TOC that unpacks to 4 GiB": () => image(lying(MEMBERS, (parts) => void Object.assign(parts, { packedToc: bomb(2 ** 32), tocLen: 2 ** 32 }))),
  "a tar-split that unpacks to 4 GiB": () => image(lying(MEMBERS, (parts) => void Object.assign(parts, { packedSplit: bomb(2 ** 32), splitLen: 2 ** 32 }))),
  "a TOC nested a million deep": () => image(lying(MEMBERS, (parts) => void (parts.tocText = nested(1_000_000)))),
  "a TOC that is no JSON": () => image(lying(MEMBERS, (parts) => void (parts.tocText = Buffer.from(SCRIPT)))),
};

/** Archives and single files that are not what they should be. */
export const ARCHIVES = {
  "nothing at all": () => file("empty.tar", Buffer.alloc(0)),
  "bytes of no kind": () => file("noise.bin", Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7919) >> 3))),
  "half of an archive": () => {
    const whole = archive(readLayout(DEMO));
    return file("half.tar", whole.subarray(0, whole.length >> 1));
  },
  "an archive that ends inside a header": () => file("header.tar", archive(readLayout(DEMO)).subarray(0, 512 + 200)),
  "a member of negative size": () => file("negative.tar", tar([{ name: "index.json", rawSize: Buffer.from([0xff, ...Array(11).fill(0xff)]) }])),
  "a member of 2^63 bytes": () => file("huge.tar", tar([{ name: "index.json", rawSize: Buffer.from([0x80, 0, 0, 0, 0x7f, ...Array(7).fill(0xff)]) }])),
  "a member larger than the archive": () => file("larger.tar", tar([{ name: "index.json", size: 8_000_000_000, content: "{}" }])),
  "an index that is no JSON": () => file("index.tar", tar([{ name: "oci-layout", content: "{}" }, { name: "index.json", content: SCRIPT }])),
  "an index nested a million deep": () => file("deep.tar", tar([{ name: "oci-layout", content: "{}" }, { name: "index.json", content: nested(1_000_000) }])),
  "an index of blobs that are not there": () => {
    const files = layout({ hostile: [plainLayer(tar(MEMBERS))] });
    return file("lost.tar", archive(new Map([...files].filter(([path]) => !path.startsWith("blobs/")))));
  },
  "a manifest with another content": () => {
    const files = layout({ hostile: [plainLayer(tar(MEMBERS))] });
    const [{ digest }] = JSON.parse(files.get("index.json")).manifests;
    const path = blobPath(digest);
    files.set(path, Buffer.from(String(files.get(path)).replace(/"size":\d/, '"size":9')));
    return oci(files);
  },
  "a layer with a wrong bit": () => {
    const bytes = tar(MEMBERS);
    const layer = gzipLayer(bytes);
    const files = layout({ hostile: [layer] });
    const path = blobPath(digestOf(layer.blob));
    const flipped = Buffer.from(layer.blob);
    flipped[flipped.length - 6] ^= 1;
    files.set(path, flipped);
    return oci(files);
  },
  "a layer with the DiffID of another": () => image({ ...gzipLayer(tar(MEMBERS)), diffId: OTHER }),
  "a layer that ends too soon": () => image({ ...plainLayer(tar(MEMBERS)), blob: tar(MEMBERS).subarray(0, 1_000) }),
  "a layer with a file of negative size": () => image(plainLayer(tar([{ name: "a", rawSize: Buffer.alloc(12, 0xff) }]))),
  "an index that leads to itself": () => {
    // No content can hold its own digest: this one claims to.
    const files = layout({});
    const self = { mediaType: INDEX, digest: OTHER, size: 100 };
    files.set(blobPath(OTHER), Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [self] })));
    files.set("index.json", Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [self] })));
    return oci(files);
  },
  "a thousand indexes in one another": () => {
    const files = layout({});
    let below = { mediaType: MANIFEST, digest: OTHER, size: 2 };
    for (let depth = 0; depth < 1000; depth += 1) {
      below = { mediaType: INDEX, ...putJson(files, { schemaVersion: 2, mediaType: INDEX, manifests: [below] }) };
    }
    files.set("index.json", Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [below] })));
    return oci(files);
  },
  "a manifest with a hundred thousand layers": () => {
    const files = layout({ hostile: [] });
    const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: OTHER, size: 100 };
    const config = putJson(files, { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: Array(100_000).fill(OTHER) } });
    const manifest = putJson(files, {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
      layers: Array(100_000).fill(layer),
    });
    files.set("index.json", Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: MANIFEST, ...manifest }] })));
    return oci(files);
  },
  "a docker-archive without its config": () =>
    file("docker.tar", tar([{ name: "manifest.json", content: JSON.stringify([{ Config: "none.json", RepoTags: ["a:b"], Layers: ["none.tar"] }]) }])),
  "a docker-archive that climbs": () =>
    file("climbs.tar", tar([{ name: "manifest.json", content: JSON.stringify([{ Config: "../../../etc/passwd", RepoTags: [SCRIPT], Layers: ["/etc/shadow"] }]) }])),
};

const HEAD = { format: "shingle-tocs", version: 1, images: [{ name: SCRIPT, digest: null, platform: null, layers: [1] }] };
const exported = (head, ...lines) => file("hostile.shingle-tocs", gzipSync([head, ...lines].map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("")));

/** Exported files that nobody exported. */
export const EXPORTED = {
  "an exported file that is no gzip": () => file("plain.shingle-tocs", Buffer.from(JSON.stringify(HEAD))),
  "an exported file with a line without end": () => file("bomb.shingle-tocs", gzipSync(Buffer.concat([Buffer.from(`${JSON.stringify(HEAD)}\n`), Buffer.alloc(300 << 20)]), { level: 1 })),
  "an exported file that ends too soon": () => file("cut.shingle-tocs", gzipSync(JSON.stringify(HEAD)).subarray(0, 60)),
  "an exported file of another version": () => exported({ ...HEAD, version: 99 }, "{}"),
  "an exported file with a line of nonsense": () => exported(HEAD, SCRIPT),
  "an exported file with a layer that is not there": () => exported({ ...HEAD, images: [{ ...HEAD.images[0], layers: [2 ** 31] }] }, "{}"),
  "an exported file with a layer before the first": () => exported({ ...HEAD, images: [{ ...HEAD.images[0], layers: [-1, 0, 0.5, "1", null] }] }, "{}"),
  "an exported file of too many images": () => exported({ ...HEAD, images: Array(100_000).fill(HEAD.images[0]) }, "{}"),
  "an exported file whose images are no list": () => exported({ ...HEAD, images: { __proto__: null, length: 2 ** 32 } }, "{}"),
  "an exported file nested a million deep": () => exported(String(nested(1_000_000)), "{}"),
};

/** Bytes of gzip that unpack to so many MiB of zeros; members of gzip may follow one another. */
function zeros(mebibytes) {
  const part = gzipSync(Buffer.alloc(16 << 20), { level: 9 });
  return Buffer.concat(Array(Math.ceil(mebibytes / 16)).fill(part));
}

/** A layer of one file, so long that reading it takes a while: `gibibytes` of zeros, in gzip or zstd. */
export function endless(gibibytes, form) {
  const size = gibibytes * 2 ** 30;
  const rawSize = Buffer.from([0x80, ...Array(11).fill(0)]);
  rawSize.writeBigUInt64BE(BigInt(size), 4);
  const head = member({ name: "zeros", rawSize });
  const parts =
    form === "gzip"
      ? [gzipSync(head), zeros(gibibytes * 1024), gzipSync(Buffer.alloc(1024))]
      : [frame(head), bomb(size), frame(Buffer.alloc(1024))];
  return { mediaType: `application/vnd.oci.image.layer.v1.tar+${form}`, blob: Buffer.concat(parts), diffId: OTHER };
}

/** Names as nobody should give them, all of them honest: no digest is wrong, so the page has to show them. */
export const NAMES = [
  SCRIPT,
  `"><script>globalThis.__xss=2</script>`,
  "javascript:globalThis.__xss=3",
  "{{constructor.constructor('globalThis.__xss=4')()}}",
  "${globalThis.__xss=5}",
  "=HYPERLINK(\"http://127.0.0.1:1/\")",
  "+1+cmd|' /C calc'!A0",
  "-2+3",
  "@SUM(1,1)",
  "a,b;c\td",
  "line\nbreak\r\nand \"quotes\"",
  "right\u202eto\u202cleft\u2066x\u2069",
  "bell\u0007escape\u001b[31mred",
  "zero\u200bwidth\ufeff",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "..",
  "%2e%2e%2f&amp;#x27;",
  "#view=diff&path=x",
  "n".repeat(5_000),
];

/** An image of such names, in folders of such names, with links to such targets; other contents for `side` 1. */
export function evil(side) {
  const members = [];
  NAMES.forEach((name, index) => {
    if (name === "..") return;
    members.push({ name: `evil/${name}`, content: Buffer.alloc(600 + index, `${index % 3 === 0 ? side : 0}${name}`.slice(0, 200)) });
    if (name.length < 200) members.push({ name: `folder ${name}/${name}`, content: `${side}${name}` });
    // A link's text has its limit, which the core knows.
    members.push({ name: `links/${index}`, type: "2", linkName: name.slice(0, 4_000), mode: 0o777 });
  });
  members.push({ name: "links/away", type: "2", linkName: "javascript:globalThis.__xss=6", mode: 0o777 });
  return members;
}

/** Names that climb out, are absolute, empty, or hold bytes that are no UTF-8: in a tar, where anything can be written. */
export function climbing() {
  const members = [
    { name: "../../climbs", content: "1" },
    { name: "/absolute", content: "2" },
    { name: "a/../../b", content: "3" },
    { name: ".", type: "5", mode: 0o755 },
    { name: Buffer.from([0x6e, 0xff, 0xfe, 0x80]), content: "4" },
    { name: Buffer.from([0xc0, 0xaf, 0x2e, 0x2e]), content: "5" },
    { name: "deep/".repeat(400) + "x", content: "6" },
    { name: "loop", type: "2", linkName: "loop", mode: 0o777 },
    { name: "hard", type: "1", linkName: "hard" },
  ];
  return members;
}

/** A TOC with a name of so many bytes. */
export function longName(length) {
  return image(lying(MEMBERS, (parts) => void (named(parts, "a").name = "n".repeat(length))));
}

/** A layout's archive of `layers` in one image. */
export function hostileImage(...layers) {
  return image(...layers);
}

function nested(depth) {
  return Buffer.from(`${"[".repeat(depth)}${"]".repeat(depth)}`);
}

export { SCRIPT };
