// Paths of an image: as arrays, by name, by a part of it, and all about one.

import type { NodeDetails } from "@shingle/core";
import type { FileDetails, ImageIndex, Measure, NodeIndex, TreeArrays } from "../../protocol";
import { freeing } from "../core";
import { failure } from "../fault";
import { ROWS } from "../limits";
import type { Session } from "../session";
import { pathBytes, pathText } from "../text";
import { entryOf } from "./entry";

/** Longer needles are in no path. */
const NEEDLE = 1000;

export function tree(session: Session, { image, measure }: { image: ImageIndex; measure: Measure }): TreeArrays {
  const view = session.overlap().view(session.check(image), measure);
  if (!view) throw failure("input", `there is no image ${image + 1}`);
  return view;
}

export function find(session: Session, { image, path }: { image: ImageIndex; path: string }): NodeIndex | undefined {
  return session.overlap().find(session.check(image), pathBytes(trimmed(path)));
}

export function search(session: Session, { image, text, limit }: { image: ImageIndex; text: string; limit: number }) {
  if (text === "" || text.length > NEEDLE) return [];
  const nodes = session.overlap().search(session.check(image), text, Math.min(limit, ROWS));
  return Array.from(nodes, (node) => ({ node, path: pathOf(session, image, node) }));
}

export function details(session: Session, { image, node }: { image: ImageIndex; node: NodeIndex }): FileDetails {
  const overlap = session.overlap();
  const found = overlap.details(session.check(image), node);
  if (!found) throw failure("input", `the image has no path ${node}`);
  const holdings = found.digest === undefined ? [] : overlap.holders(found.digest);
  const holders = holdings.map((holding) => ({
    ...holding,
    path: holding.node === undefined ? undefined : pathOf(session, holding.image, holding.node),
  }));
  const path = overlap.path(image, node) ?? new Uint8Array();
  return { path: pathText(path), node, details: found, ...written(session, image, path, found), holders };
}

/** Attributes, and bytes of one, that are shown. */
const XATTRS = 1000;
const XATTR_BYTES = 4096;

/** What only the layer's own entry says. */
function written(session: Session, image: ImageIndex, path: Uint8Array, { origin, kind }: NodeDetails) {
  const [layer, index] = origin ?? entryOf(session, image, path, kind) ?? [];
  if (layer === undefined || index === undefined) return { link: undefined, xattrs: [] };
  const [entry] = freeing(session.layer(image, layer).toc(), (toc) => toc.entries(index, 1));
  const isLink = entry?.kind === "symlink" || entry?.kind === "hardlink";
  const xattrs = entry?.xattrs.slice(0, XATTRS) ?? [];
  return {
    link: isLink ? pathText(entry.link) : undefined,
    xattrs: xattrs.map(([name, value]): [string, string] => [pathText(name), pathText(value.subarray(0, XATTR_BYTES))]),
  };
}

/** The string that stands for a node's path. */
export function pathOf(session: Session, image: ImageIndex, node: NodeIndex): string {
  const path = session.overlap().path(image, node);
  return path ? pathText(path) : "";
}

/** A path as the core has it: without `./` or a slash before it, or one behind it. */
export function trimmed(path: string): string {
  return path.replace(/^(\.?\/)+/, "").replace(/\/+$/, "").replace(/^\.$/, "");
}
