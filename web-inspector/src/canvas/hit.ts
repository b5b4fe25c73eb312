// What lies under a point.

/** Rectangles in the order of a walk: what a rectangle holds follows it, up to `skip`. */
export interface Boxes {
  /** How many there are; the arrays may be longer. */
  readonly count: number;
  readonly x: Float32Array | Float64Array;
  readonly y: Float32Array | Float64Array;
  readonly w: Float32Array | Float64Array;
  readonly h: Float32Array | Float64Array;
  /** The first rectangle that is not in this one. */
  readonly skip: Uint32Array;
  /** Whether what a rectangle holds lies below it, and not in it, as in an icicle. Its columns hold it then. */
  readonly below: boolean;
}

/** The innermost rectangle at a point; -1 for none. */
export function boxAt(boxes: Boxes, x: number, y: number): number {
  let found = -1;
  let at = 0;
  let end = boxes.count;
  while (at < end) {
    const column = x >= boxes.x[at]! && x < boxes.x[at]! + boxes.w[at]!;
    const row = y >= boxes.y[at]! && y < boxes.y[at]! + boxes.h[at]!;
    if (column && (row || boxes.below)) {
      if (row) found = at;
      // In an icicle a row's rectangles hold nothing of their own row.
      if (row && boxes.below) return found;
      end = boxes.skip[at]!;
      at += 1;
    } else {
      at = boxes.skip[at]!;
    }
  }
  return found;
}
