// What the page gives as files.
import { readFileSync } from "node:fs";

/** Exports the view that is shown, and returns the file's name and bytes. */
export async function exported(page, kind) {
  await page.getByRole("main").getByRole("button", { name: /^Export\b/ }).first().click();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: kind, exact: true }).click();
  return fileOf(await saved);
}

/** The file of a download. */
export async function fileOf(download) {
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** The figures of the view that is shown. */
export async function figures(page) {
  const { bytes } = await exported(page, "JSON");
  return JSON.parse(bytes);
}

/** The rows of the view's table, by the names in its first line. */
export async function rows(page) {
  const { bytes } = await exported(page, "CSV");
  const [head, ...lines] = parseCsv(String(bytes));
  return lines.map((cells) => Object.fromEntries(head.map((name, index) => [name, cells[index]])));
}

/** Reads CSV as RFC 4180 says; what is not so is an error. */
function parseCsv(text) {
  const lines = [];
  let cells = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex;
    const found = cell.exec(text);
    if (!found) throw new Error(`no CSV at ${at}: ${JSON.stringify(text.slice(at, at + 60))}`);
    cells.push(found[1]?.replaceAll('""', '"') ?? found[2]);
    if (found[3] === ",") continue;
    lines.push(cells);
    cells = [];
  }
  return lines;
}
