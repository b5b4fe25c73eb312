// Figures as files for programs. Numbers are bytes and counts; nothing is rounded.

/** A file that says what it is. */
export function jsonText(format: string, value: object): string {
  return `${JSON.stringify({ format: `shingle-${format}`, version: 1, ...value }, undefined, 1)}\n`;
}

/** The same with one list that is too long to be written in one go; it comes last. */
export function* jsonLines(format: string, value: object, list: string, rows: Iterable<object>): Iterable<string> {
  const head = jsonText(format, value).trimEnd().slice(0, -2);
  yield `${head},\n ${JSON.stringify(list)}: [`;
  let separator = "\n  ";
  for (const row of rows) {
    yield separator + JSON.stringify(row);
    separator = ",\n  ";
  }
  yield "\n ]\n}\n";
}
