// Orders of rows, without moving them.

export type Direction = "ascending" | "descending";

/** Positions of rows in the order of their keys. Rows that are alike stay as they came. */
export function sortedOrder<Row>(
  rows: ArrayLike<Row>,
  key: (row: Row) => number | string,
  direction: Direction,
): Uint32Array {
  const keys = Array.from(rows, key);
  const sign = direction === "ascending" ? 1 : -1;
  return Uint32Array.from(keys.keys()).sort((a, b) => {
    const [left, right] = [keys[a] ?? 0, keys[b] ?? 0];
    return left === right ? a - b : left < right ? -sign : sign;
  });
}
