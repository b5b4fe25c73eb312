// The page's figures are the command's, to the byte.
import { figures, rows } from "./help/export.mjs";
import { made } from "./help/images.mjs";
import { expect, goTo, openFiles, settled, test } from "./help/page.mjs";
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

    for (const [measure, option] of [["compressed", []], ["logical", ["--logical"]]]) {
      test(`tree, ${measure}`, async ({ page, site }) => {
        await openFiles(page, site, files, tags.length);
        const { directories } = await told("overlap", "--depth", "99", ...option, ...refs());
        for (const image of tags.keys()) {
          await show(page, { view: "tree", image, measure });
          const paths = new Map((await figures(page)).paths.map((row) => [row.path, row]));
          const those = directories.filter((directory) => directory.image === image && directory.measure === measure);
          for (const directory of those) {
            const ours = paths.get(directory.path === "/" ? "/" : `/${directory.path.replace(/\/$/, "")}`);
            for (const [key, word] of Object.entries({ files: "files", shared: "shared", unique: "unique", partly: "partly", partlyShared: "partly_shared", wasted: "wasted" })) {
              expect(ours[key], `${directory.path} ${key}`).toBe(directory[word]);
            }
          }
          const csv = await rows(page);
          expect(csv.length).toBe(paths.size);
        }
      });
    }

    test("layers", async ({ page, site }) => {
      await openFiles(page, site, files, tags.length);
      for (const image of tags.keys()) {
        for (const having of [[], [0]]) {
          if (having.includes(image)) continue;
          const plan = await planned(refs()[image], having.map((other) => refs()[other]), "--full");
          for (const [layer, forecast] of plan.layers.entries()) {
            await show(page, { view: "layers", image, layer, having: having.join(".") });
            const { runs, states, layer: head } = await figures(page);
            expect(head.blob).toBe(forecast.blob);
            // Runs make up the blob, front to back.
            let end = 0;
            for (const run of runs) end = (expect(run.start).toBe(end), run.end);
            expect(end).toBe(forecast.blob_bytes);
            const wire = runs.filter(({ state }) => state === "fetched" || state === "bridged");
            const sum = (some) => some.reduce((sum, { start, end }) => sum + end - start, 0);
            if (forecast.mode === "partial") {
              expect(joined(wire)).toEqual(joined((forecast.ranges ?? []).map(([start, end]) => ({ start, end }))));
              expect(states.bridged.bytes).toBe(forecast.bridged_bytes);
            } else {
              expect(sum(wire)).toBe(forecast.fetched_bytes);
            }
          }
        }
      }
    });

    test("chunks of a layer", async ({ page, site }) => {
      await openFiles(page, site, files, tags.length);
      const { layers } = await told("chunks", refs()[1]);
      for (const { layer, parts } of layers) {
        await show(page, { view: "layers", image: 1, layer: layer - 1 });
        const { states } = await figures(page);
        const length = (kind) => parts.filter((part) => part.kind === kind).reduce((sum, { length }) => sum + length, 0);
        for (const kind of ["toc", "tar-split", "footer"]) expect(states[kind].bytes, kind).toBe(length(kind));
      }
    });

    for (const [name, link] of Object.entries({
      "a near registry": { roundTripMs: 1, megabytesPerSecond: 110 },
      "a far registry": { roundTripMs: 300, megabytesPerSecond: 20 },
    })) {
      test(`pulls one after the other, ${name}`, async ({ page, site }) => {
        await openFiles(page, site, files, tags.length);
        await show(page, { view: "pull", ...link });
        const { pulls, total } = await figures(page);
        expect(pulls.length).toBe(tags.length);
        for (const [place, pull] of pulls.entries()) {
          const plan = await planned(refs()[place], refs().slice(0, place), "--round-trip-ms", String(link.roundTripMs), "--bandwidth", String(1e6 * link.megabytesPerSecond), "--jobs", "8");
          compare(pull, plan.total, ["blob_bytes", "toc_bytes", "fetched_bytes", "requests", "bridged_bytes", "content_bytes", "reused_bytes"]);
          for (const [layer, forecast] of plan.layers.entries()) {
            compare(pull.layers[layer], forecast, ["blob", "mode", "fetched_bytes", "requests", "reused_bytes"]);
          }
          const sum = (key) => plan.layers.reduce((sum, { files }) => sum + (files?.[key] ?? 0), 0);
          for (const key of ["total", "twins", "assembled", "fetched"]) expect(pull.files[key], key).toBe(sum(key));
          expect(pull.files.hardlinked + pull.files.cloned + pull.files.copied, "held").toBe(sum("held"));
        }
        expect(total.fetchedBytes).toBe(pulls.reduce((sum, { fetchedBytes }) => sum + fetchedBytes, 0));
        expect((await rows(page)).map((row) => Number(row["fetched bytes"]))).toEqual(pulls.map(({ fetchedBytes }) => fetchedBytes));
      });
    }

    test("diff", async ({ page, site }) => {
      await openFiles(page, site, files, tags.length);
      for (const [old, now] of [[0, 1], [1, 0]]) {
        await show(page, { view: "diff", image: old, other: now });
        const { changes } = await figures(page);
        const command = await told("diff", refs()[old], refs()[now]);
        const word = { properties: "metadata" };
        const wanted = command.changes.map(({ status, old, new: now, bytes, fresh }) => ({
          status: word[status] ?? status,
          path: now ?? old,
          logical: bytes.logical,
          compressed: bytes.compressed,
          fresh: fresh.compressed,
        }));
        const ours = changes.map(({ status, path, logical, compressed, fresh }) => ({ status: word[status] ?? status, path, logical, compressed, fresh }));
        const order = (one, other) => (one.path < other.path ? -1 : one.path > other.path ? 1 : one.status < other.status ? -1 : 1);
        expect(ours.sort(order)).toEqual(wanted.sort(order));
        const csv = await rows(page);
        expect(csv.length).toBe(changes.length);
      }
    });

    test("file", async ({ page, site }) => {
      await openFiles(page, site, files, tags.length);
      const { entries } = await told("ls", "-R", refs()[1]);
      // One of each kind.
      const some = new Map(entries.map((entry) => [entry.kind, entry]));
      for (const entry of [...some.values(), entries.find(({ size }) => size > 30_000)]) {
        await show(page, { view: "file", image: 1, path: entry.path });
        const file = await figures(page);
        expect(file.path).toBe(entry.path);
        expect(file.kind).toBe(entry.kind);
        for (const key of ["mode", "uid", "gid"]) expect(file[key], `${entry.path} ${key}`).toBe(entry[key]);
        if (entry.kind !== "file" && entry.kind !== "regular") continue;
        expect(file.bytes.logical).toBe(entry.size ?? 0);
        const { layers } = await told("chunks", refs()[1], entry.path);
        const parts = layers.flatMap(({ parts }) => parts).filter(({ kind }) => kind === "frames");
        expect(file.chunks.map(({ digest }) => digest)).toEqual(parts.map(({ digest }) => digest));
      }
    });
  });
}

/** Goes to what an address says, with the images that are open. */
async function show(page, state) {
  await page.evaluate((hash) => (location.hash = hash), String(new URLSearchParams(state)));
  await expect(page.getByRole("navigation", { name: "Views" }).locator("[aria-current=page]")).toHaveText(new RegExp(state.view, "i"));
  await settled(page);
}

/** What `shingle plan` says of a machine that has `given`, over the page's link unless other options follow. */
async function planned(ref, given, ...options) {
  const link = options.includes("--jobs") ? [] : ["--round-trip-ms", "20", "--bandwidth", "10000000", "--jobs", "8"];
  const had = given.length > 0 ? given.flatMap((other) => ["--given", other]) : ["--given-nothing"];
  return told("plan", ...had, ...link, ...options, ref);
}

/** Figures of the page, called as the core calls them, and those of the command. */
function compare(ours, command, keys) {
  for (const key of keys) {
    const name = key.replaceAll(/_[a-z]/g, (word) => word[1].toUpperCase());
    // The command says nothing of what a layer that is here, or pulled whole, cannot have.
    expect(ours[name], key).toBe(command[key] ?? 0);
  }
}

/** Ranges, those that touch made one. */
function joined(ranges) {
  const out = [];
  for (const { start, end } of ranges) {
    if (out.at(-1)?.end === start) out.at(-1).end = end;
    else out.push({ start, end });
  }
  return out;
}
