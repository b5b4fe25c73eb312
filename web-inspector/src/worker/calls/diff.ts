// What differs between two images.

import { name } from "../../format";
import type { DiffArrays, ImageIndex } from "../../protocol";
import { joined } from "../bytes";
import { failure } from "../fault";
import { PATH_BYTES } from "../limits";
import type { Session } from "../session";

const ENCODER = new TextEncoder();

export function diff(session: Session, ask: { old: ImageIndex; new: ImageIndex }): DiffArrays {
  const overlap = session.overlap();
  const columns = overlap.diffColumns(session.check(ask.old), session.check(ask.new));
  if (!columns) throw failure("input", "there are no such images");
  const paths: Uint8Array[] = [];
  const pathEnds = new Uint32Array(columns.changed.length);
  let length = 0;
  for (let row = 0; row < pathEnds.length; row += 1) {
    const [old, new_] = [columns.old[row] ?? -1, columns.new[row] ?? -1];
    const path = new_ >= 0 ? overlap.path(ask.new, new_) : overlap.path(ask.old, old);
    const shown = ENCODER.encode(name(path ?? new Uint8Array()));
    length += shown.length;
    if (length > PATH_BYTES) throw failure("limit", "so much differs that the paths do not fit in memory");
    paths.push(shown);
    pathEnds[row] = length;
  }
  return { ...columns, paths: joined(paths, length), pathEnds };
}
