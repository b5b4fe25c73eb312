// Writes an exported file of many large images: known.mjs FILE [IMAGES [FILES]].
//
// The images are those of core/examples/overlap.rs: a tenth of its files each image has to itself, the others come from a pool
// of twice as many as one image holds; one file in twenty is cut into five chunks. Here they have places in a blob, too.
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { createGzip } from "node:zlib";

/** Frames are so much smaller than what is in them. */
const RATIO = 3;
const HEADER = 60;
const POOL = 1 << 20;

export async function writeKnown(path, images = 10, files = 200_000) {
  const gzip = createGzip({ level: 1 });
  const out = gzip.pipe(createWriteStream(path));
  const head = {
    format: "shingle-tocs",
    version: 1,
    images: Array.from({ length: images }, (_, image) => ({ name: `example.org/large:${image}`, digest: null, platform: "linux/amd64", layers: [image + 1] })),
  };
  await put(gzip, `${JSON.stringify(head)}\n`);
  for (let image = 0; image < images; image += 1) {
    for (const piece of line(image, files)) await put(gzip, piece);
  }
  gzip.end();
  await once(out, "close");
}

async function put(stream, text) {
  if (!stream.write(text)) await once(stream, "drain");
}

/** One layer, in pieces of about a megabyte. */
function* line(image, files) {
  let text = "";
  let at = 0;
  const frames = (size) => {
    const start = at + HEADER;
    at = start + Math.max(14, Math.round(size / RATIO));
    return `"framesRaw":[${start},${at}]`;
  };
  // The length is known only after all frames; entries come first.
  const entries = [];
  for (let file = 0; file < files; file += 1) {
    // A tenth belongs to this image alone, the rest is taken from a pool by a stride of its own.
    const own = file % 10 === 0;
    const content = own ? `own ${image} ${file}` : (file * 2 + ((file >> 4) + image) % 2) % (2 * files);
    const size = 1000 + (own ? (image * 7919 + file) % 100_000 : content % 100_000);
    const name = `usr/lib/package${Math.floor(file / 200)}/part${Math.floor(file / 10) % 20}/file${file}.so`;
    const entry = `"name":"${name}","mode":${0o644 + (image % 2)},"modtime":"2026-01-01T00:00:00Z","size":${size},"digest":"${digest(content)}"`;
    if (file % 20 !== 0) {
      text += `{"type":"reg",${entry},${frames(size)}},`;
    } else {
      const step = Math.floor(size / 5);
      for (let chunk = 0; chunk < 5; chunk += 1) {
        const length = chunk === 4 ? size - 4 * step : step;
        const said = `"chunkOffset":${chunk * step},"chunkSize":${length},"chunkDigest":"${digest(`${content} ${chunk}`)}",${frames(length)}`;
        text += chunk === 0 ? `{"type":"reg",${entry},${said}},` : `{"type":"chunk","name":"${name}",${said}},`;
      }
    }
    if (text.length < POOL) continue;
    entries.push(text);
    text = "";
  }
  entries.push(text.slice(0, -1));
  const end = at + HEADER;
  const [toc, split] = [end + 8, end + 8 + 20 * files + 8];
  const splitEnd = split + 15 * files;
  const known = {
    blob: digest(`blob ${image}`),
    blobLen: splitEnd + 72,
    diffId: digest(`tar ${image}`),
    mediaType: "application/vnd.oci.image.layer.v1.tar+zstd",
    trust: "diffid",
    vouched: digest(`toc ${image}`),
    tocBytes: splitEnd - toc,
    tocRequests: 1,
  };
  const map = { gzip: false, dataEnd: end, toc: [toc, split - 8], tarSplit: [split, splitEnd], tied: true };
  yield `${JSON.stringify(known).slice(0, -1)},"toc":{"version":1,"blob":${JSON.stringify(map)},"entries":[`;
  yield* entries;
  yield `],"tarSplitDigest":"${digest(`tar-split ${image}`)}"}}\n`;
}

function digest(content) {
  return `sha256:${createHash("sha256").update(String(content)).digest("hex")}`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [path, images = "10", files = "200000"] = process.argv.slice(2);
  if (!path) throw new Error("known.mjs FILE [IMAGES [FILES]]");
  await writeKnown(path, Number(images), Number(files));
}
