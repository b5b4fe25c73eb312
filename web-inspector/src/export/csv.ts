// Tables as files that spreadsheets open.

export type Cell = string | number | boolean | undefined;

/** One line, as RFC 4180 writes it, with its line end. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

/** Line by line: a long table need not be in memory twice. */
export function* csvLines(head: readonly string[], rows: Iterable<readonly Cell[]>): Iterable<string> {
  yield csvLine(head);
  for (const row of rows) yield csvLine(row);
}

function csvCell(cell: Cell): string {
  if (cell === undefined) return "";
  if (typeof cell !== "string") return String(cell);
  // A spreadsheet would take a name that begins so for a formula, and run it.
  // https://owasp.org/www-community/attacks/CSV_Injection
  const guarded = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
