// The page's figures are the command's, to the byte.
import { figures, rows } from "./help/export.mjs";
import { made } from "./help/images.mjs";
import { expect, goTo, openFiles, test } from "./help/page.mjs";
import { told } from "./help/shingle.mjs";

/** Archives on the page, and the layouts that they are of. */
const SETS = {
  demo: { files: ["demo.tar"], layout: "demo", tags: ["v1", "v2"] },
  related: { files: ["related.tar"], layout: "related", tags: ["old", "new", "gzip", "plain"] },
};

/** The core's words for figures as the command's: `uniqueChunks` as `unique_chunks`, an amount without its `bytes`. */
function worded(value) {
  if (Array.isArray(value)) return value.map(worded);
  if (typeof value !== "object" || value === null) return value;
  const { bytes, ...rest } = value;
  const amount = typeof bytes === "object" && typeof value.count === "number" ? { ...rest, ...bytes } : value;
  return Object.fromEntries(
    Object.entries(amount).map(([key, value]) => [key.replaceAll(/[A-Z]/g, (sign) => `_${sign.toLowerCase()}`), worded(value)]),
  );
}


for (const [name, { files, layout, tags }] of Object.entries(SETS)) {
  /** The images, as the command calls them. */
  const refs = () => tags.map((tag) => `oci:${made(layout)}:${tag}`);

  test.describe(name, () => {
    test("overlap", async ({ page, site }) => {
      await openFiles(page, site, files, tags.length);
      await goTo(page, "Overlap");
      const said = worded(await figures(page));
      const command = await told("overlap", ...refs());
      command.images.forEach((image, index) => {
        const ours = said.images[index];
        for (const key of ["digest", "platform", "blob_bytes"]) expect(ours[key], key).toBe(image[key]);
        for (const key of ["files", "distinct", "unique", "shared", "distinct_chunks", "unique_chunks", "shared_chunks", "duplicates", "wasted"]) {
          expect(ours[key], `image ${index} ${key}`).toEqual(image[key]);
        }
        image.layers.forEach((layer, at) => {
          for (const key of ["blob", "diff_id", "blob_bytes", "also_in", "files"]) expect(ours.layers[at][key], key).toEqual(layer[key]);
        });
      });
      for (const key of ["shared_by", "distinct", "distinct_chunks"]) expect(said[key], key).toEqual(command[key]);
      for (const key of ["files", "chunks"]) expect(said.matrix[key]).toEqual(command.matrix[key].flat());
      expect(said.order.bytes).toBe(command.order.bytes);
      expect(said.order.steps.map(({ image, bytes }) => ({ image, bytes }))).toEqual(
        command.order.steps.map(({ image, bytes }) => ({ image, bytes })),
      );
      const top = command.shared_contents.map(({ digest }) => digest);
      expect(said.shared_contents.slice(0, top.length).map(({ digest }) => digest)).toEqual(top);

      const csv = await rows(page);
      expect(csv.length).toBe(tags.length ** 2);
      csv.forEach((row, cell) => expect(Number(row.chunks_bytes)).toBe(said.matrix.chunks[cell].logical));
    });
  });
}
