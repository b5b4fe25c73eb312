// Figures over all images.

import type { ImageIndex, OverlapFigures } from "../../protocol";
import { ROWS } from "../limits";
import type { Session } from "../session";
import { pathOf } from "./paths";

/** Files that several images have, which are listed. */
const SHARED = 200;
/** Paths of one content that are listed. */
const PATHS = 1000;

export function overlap(session: Session): OverlapFigures {
  session.figures ??= figures(session);
  return session.figures;
}

function figures(session: Session): OverlapFigures {
  const overlap = session.overlap();
  const shared = overlap.sharedContents(SHARED).map((content) => {
    const holder = overlap.holders(content.digest).find(({ image }) => image === content.first);
    return { ...content, path: holder?.node === undefined ? "" : pathOf(session, holder.image, holder.node) };
  });
  return { summary: overlap.summary(), matrix: overlap.matrix(), order: overlap.pullOrder(), shared };
}

export function duplicates(session: Session, { image, limit }: { image: ImageIndex; limit: number }) {
  const overlap = session.overlap();
  const found = overlap.duplicates(session.check(image), Math.min(limit, ROWS));
  return found.map((duplicate) => ({
    ...duplicate,
    paths: duplicate.nodes.slice(0, PATHS).map((node) => pathOf(session, image, node)),
  }));
}
