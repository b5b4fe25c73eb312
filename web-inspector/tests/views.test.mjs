// What people do in the views: search, zoom, sort, tick, reorder, export, and cancel.
import { exported, figures, rows } from "./help/export.mjs";
import { NAMES, evil } from "./help/hostile.mjs";
import { seal, takeApart } from "./help/chunked.mjs";
import { archive, layout } from "./help/layout.mjs";
import { VIEWS, choose, expect, goTo, openFiles, opened, settled, test } from "./help/page.mjs";

test.beforeEach(async ({ page, site }) => {
  await openFiles(page, site, ["related.tar"], 4);
});

const main = (page) => page.getByRole("main");
const picture = (page) => main(page).locator("canvas[role=img]").first();

test.describe("overlap", () => {
  test("the measure changes what is counted, and the address", async ({ page }) => {
    await goTo(page, "Overlap");
    const table = main(page).getByRole("table").first();
    const before = await table.textContent();
    await main(page).getByLabel("Measure").first().selectOption("Uncompressed");
    await expect(page).toHaveURL(/measure=logical/);
    await settled(page);
    const after = await table.textContent();
    // Of layers that were read whole nobody knows what files take compressed, so both may be uncompressed.
    expect(after.length).toBeGreaterThan(0);
    expect(before.length).toBeGreaterThan(0);
  });

  test("a cell leads to what differs", async ({ page }) => {
    await goTo(page, "Overlap");
    await picture(page).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { level: 2, name: "Difference" })).toBeVisible();
  });

  test("tables sort by their columns", async ({ page }) => {
    await goTo(page, "Overlap");
    const table = main(page).getByRole("table").filter({ has: page.getByRole("columnheader", { name: /Unique/ }) }).first();
    const sorter = table.getByRole("columnheader", { name: /Bytes/ }).first();
    await sorter.getByRole("button").click();
    await expect(sorter).toHaveAttribute("aria-sort", /ascending|descending/);
    const first = await sorter.getAttribute("aria-sort");
    await sorter.getByRole("button").click();
    await expect(sorter).toHaveAttribute("aria-sort", first === "ascending" ? "descending" : "ascending");
  });
});

test.describe("tree", () => {
  test("a search finds paths by a part of them, in any case", async ({ page }) => {
    await goTo(page, "Tree");
    await main(page).getByLabel("Search paths").fill("DATABASE");
    await expect(main(page).getByRole("button", { name: "/var/database" })).toBeVisible();
    await expect(page).toHaveURL(/search=DATABASE/);
    await main(page).getByRole("button", { name: "/var/database" }).click();
    await expect(page).toHaveURL(/path=var%2Fdatabase/);
  });

  test("the picture is an icicle or a treemap, and zooms by pointer and by keyboard", async ({ page }) => {
    await goTo(page, "Tree");
    const drawn = () => picture(page).evaluate((canvas) => canvas.toDataURL());
    await settled(page);
    const icicle = await drawn();
    await main(page).getByLabel("Picture").selectOption("Treemap");
    await expect(page).toHaveURL(/picture=treemap/);
    await settled(page);
    const treemap = await drawn();
    expect(treemap).not.toBe(icicle);
    await picture(page).focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/path=/);
    await page.keyboard.press("Backspace");
    await expect(page).not.toHaveURL(/path=/);
  });
});

test.describe("layers", () => {
  test("what the machine has changes what is fetched", async ({ page }) => {
    await goTo(page, "Layers");
    await main(page).getByRole("combobox", { name: "Image" }).selectOption({ index: 1 });
    await main(page).getByRole("combobox", { name: "Layer" }).selectOption({ index: 1 });
    await settled(page);
    const before = await figures(page);
    await main(page).getByLabel(/^Already here: .*old/).check();
    await settled(page);
    const after = await figures(page);
    expect(after.states.fetched.bytes).toBeLessThan(before.states.fetched.bytes);
    expect(after.states.reused.bytes).toBeGreaterThan(before.states.reused.bytes);
  });

  test("a frame leads to its file", async ({ page }) => {
    await goTo(page, "Layers");
    await settled(page);
    await picture(page).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    const live = main(page).locator("[aria-live=polite]").first();
    await expect(live).toContainText(/bin\/sh/);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { level: 2, name: "File" })).toBeVisible();
    await expect(page).toHaveURL(/path=bin%2F(ba)?sh/);
  });
});

test.describe("what the pointer is over", () => {
  /** Moves the pointer over a picture, to parts of its width and height, and returns what is said there. */
  async function over(page, x, y) {
    const box = await picture(page).boundingBox();
    await page.mouse.move(box.x + box.width * x, box.y + box.height * y);
    return main(page).locator("[aria-live=polite]").first();
  }

  test("in the layers is told with its file and its chunk", async ({ page }) => {
    await goTo(page, "Layers");
    await settled(page);
    await picture(page).scrollIntoViewIfNeeded();
    await expect(await over(page, 0.5, 0.05)).toHaveText(/^Frame \d+ of \d+: .*, bytes [\d,]+ to [\d,]+; \w+\/\w+, chunk \d+: bytes [\d,]+ to [\d,]+ of the file$/);
  });

  test("in the tree is told with its path and its size", async ({ page }) => {
    await goTo(page, "Tree");
    await settled(page);
    await picture(page).scrollIntoViewIfNeeded();
    await expect(await over(page, 0.1, 0.9)).toHaveText(/^\/\w+\/\w+.*: [\d.]+ \w+/);
  });

  test("in the matrix is told in words", async ({ page }) => {
    await goTo(page, "Overlap");
    await settled(page);
    await picture(page).scrollIntoViewIfNeeded();
    await expect(await over(page, 0.8, 0.5)).toHaveText(/^[\d.]+ \w+ of \S+’s [\d.]+ \w+ \([\d.]+ %\) are in \S+\./);
  });
});

test.describe("pull", () => {
  test("ticking, reordering and another link change the forecast", async ({ page }) => {
    await goTo(page, "Pull");
    await settled(page);
    const first = await figures(page);
    expect(first.pulls.map(({ image }) => image)).toEqual(["related:old", "related:new", "related:gzip", "related:plain"]);
    await main(page).getByRole("button", { name: "Move related:new up" }).click();
    await settled(page);
    const moved = await figures(page);
    expect(moved.pulls.map(({ image }) => image)).toEqual(["related:new", "related:old", "related:gzip", "related:plain"]);
    expect(moved.pulls[0].fetchedBytes).toBeGreaterThan(moved.pulls[1].fetchedBytes);
    await main(page).getByLabel(/^Already here: .*new/).check();
    await settled(page);
    const had = await figures(page);
    expect(had.pulls.map(({ image }) => image)).not.toContain("related:new");
    expect(had.total.fetchedBytes).toBeLessThan(moved.total.fetchedBytes);
    const before = had.total.seconds;
    await main(page).getByLabel("Bandwidth (MB/s)").fill("0.1");
    await settled(page);
    expect((await figures(page)).total.seconds).toBeGreaterThan(before);
    await main(page).getByLabel("Link mode").selectOption({ label: "copy: copy every byte" });
    await settled(page);
    const copied = await figures(page);
    expect(copied.total.files.hardlinked).toBe(0);
    expect(copied.total.files.copied).toBeGreaterThan(0);
  });
});

test.describe("file", () => {
  test("who else has a file, and the way to it", async ({ page }) => {
    await goTo(page, "File");
    await main(page).getByLabel("Search paths").fill("sh");
    await main(page).getByRole("link", { name: "bin/sh" }).click();
    await expect(page).toHaveURL(/path=bin%2Fsh/);
    const { holders } = await figures(page);
    expect(holders.map(({ image }) => image).sort()).toEqual(["related:gzip", "related:new", "related:old", "related:plain"]);
  });

  test("a path that is not there is said to be missing", async ({ page }) => {
    await page.evaluate(() => (location.hash = "view=file&path=no/such/file"));
    await expect(main(page).getByRole("alert")).toContainText("no/such/file");
  });
});

test.describe("exports", () => {
  for (const [view, kinds] of Object.entries({
    Overlap: ["SVG", "PNG"],
    Tree: ["SVG", "PNG"],
    Layers: ["SVG", "PNG"],
    Pull: ["SVG", "PNG"],
    Diff: ["SVG"],
  })) {
    test(`${view} as ${kinds.join(" and ")}`, async ({ page }) => {
      await goTo(page, view);
      await settled(page);
      for (const kind of kinds) {
        const { name, bytes } = await exported(page, kind);
        expect(name).toMatch(new RegExp(`\\.${kind.toLowerCase()}$`));
        if (kind === "PNG") {
          expect(bytes.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
          expect(bytes.readUInt32BE(16)).toBeGreaterThan(100);
        } else {
          await wellFormed(page, String(bytes));
        }
      }
    });
  }

  test("of names that mean harm: nothing that a spreadsheet runs, nothing that a viewer runs", async ({ page, site }) => {
    const sides = ["old", "new"].map((tag, side) => [tag, [seal(takeApart(evil(side), 4096))]]);
    await page.goto(`${site.url}#`);
    await page.reload();
    await choose(page, { name: "=evil.tar", mimeType: "application/x-tar", buffer: archive(layout(Object.fromEntries(sides))) });
    await opened(page, 2);
    for (const view of Object.keys(VIEWS)) {
      if (view === "File") await page.evaluate((path) => (location.hash = new URLSearchParams({ view: "file", path })), `evil/${NAMES[0]}`);
      else await goTo(page, view);
      await settled(page);
      const table = await rows(page);
      for (const row of table) {
        for (const cell of Object.values(row)) expect(cell, view).not.toMatch(/^[=+@\t\r]|^-(?!\d+(\.\d+)?$)/);
      }
      await figures(page);
      const { bytes } = await exported(page, "SVG");
      await wellFormed(page, String(bytes));
    }
  });
});

/** An SVG is XML, and holds nothing that runs or loads. */
async function wellFormed(page, text) {
  const found = await page.evaluate((text) => {
    const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
    const elements = [...parsed.querySelectorAll("*")];
    return {
      root: parsed.documentElement.localName,
      wrong: parsed.querySelector("parsererror")?.textContent,
      runs: elements.filter(
        (element) =>
          ["script", "foreignObject", "image", "use", "a", "style"].includes(element.localName) ||
          [...element.attributes].some(({ name, value }) => /^on/i.test(name) || /javascript:|https?:\/\/(?!www\.w3\.org)/i.test(value)),
      ).length,
    };
  }, text);
  expect(found).toEqual({ root: "svg", wrong: undefined, runs: 0 });
}
