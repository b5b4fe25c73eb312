// What is known of a path, as files.

import { bytes, visible } from "../../format";
import type { FileDetails, ImageInfo } from "../../protocol";
import { csvLines } from "../../export/csv";
import { jsonText } from "../../export/json";
import { block, cut, heading, legend, picture } from "../../export/svg";
import { ALONE, chunksOf, TOGETHER } from "./chunks";

export function fileJson(image: ImageInfo, images: readonly ImageInfo[], file: FileDetails): string {
  const { path, details, holders, link, xattrs } = file;
  const named = holders.map(({ node: _, image, ...holder }) => ({ image: images[image]?.name, ...holder }));
  const { alsoIn, pieces, ...rest } = details;
  return jsonText("file", {
    image: image.name,
    path,
    ...rest,
    link,
    xattrs: xattrs.map(([name, value]) => ({ name, value })),
    alsoIn: alsoIn.map((other) => images[other]?.name),
    holders: named,
    chunks: pieces,
  });
}

const HEAD = ["chunk", "offset", "length", "compressed", "digest", "images"];

export function chunksCsv(file: FileDetails): Iterable<string> {
  const rows = chunksOf(file).map((chunk) => {
    const { number, offset, length, compressed, digest, images } = chunk;
    return [number, offset, length, compressed, digest, images];
  });
  return csvLines(HEAD, rows);
}

const WIDE = 900;

export function chunksSvg(file: FileDetails): string {
  const chunks = chunksOf(file);
  const all = Math.max(1, file.details.bytes.logical);
  const drawn = [heading(cut(visible(file.path), 100))];
  for (const { number, offset, length, images } of chunks) {
    const look = images > 1 ? TOGETHER : ALONE;
    const [x, wide] = [10 + (WIDE * offset) / all, (WIDE * length) / all];
    const gap = wide > 4 ? 1 : 0;
    const about = `Chunk ${number}: ${bytes(length)}`;
    drawn.push(block(x, 36, Math.max(0.2, wide - gap), 48, look.token, look.pattern, about));
  }
  drawn.push(...legend(10, 96, [TOGETHER, ALONE]));
  return picture(WIDE + 20, 124, `Chunks of ${visible(file.path)}`, ...drawn);
}
