// How the page treats people: axe's rules, small screens, the keyboard, reduced motion, and a heading before anything else.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { VIEWS, choose, expect, goTo, opened, openFiles, settled, test } from "./help/page.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Runs axe, and returns what it objects to, shortly. */
async function objections(page) {
  // Not a script element: the page's policy would not let it run.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target}: ${failureSummary}`));
}

/** Opens every folded part of the page, such as "As a table". */
async function unfoldAll(page) {
  await settled(page);
  await page.evaluate(() => document.querySelectorAll("main details").forEach((details) => (details.open = true)));
  await settled(page);
}

/** Nothing sticks out at the side. */
async function fits(page) {
  const { wide, narrow, out } = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const out = [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > clientWidth + 1);
    return { wide: scrollWidth, narrow: clientWidth, out: out.slice(0, 5).map((element) => `${element.tagName}.${element.className}`) };
  });
  expect(wide, `wider than the screen: ${out}`).toBeLessThanOrEqual(narrow);
}

for (const colorScheme of ["light", "dark"]) {
  for (const [width, height] of [[1280, 900], [360, 640]]) {
    test.describe(`${colorScheme}, ${width} px`, () => {
      test.use({ colorScheme, viewport: { width, height } });

      test("axe has no objection to the start, a fault, and help", async ({ page, site }) => {
        await page.goto(site.url);
        await expect(page.getByRole("button", { name: "Open the example" })).toBeVisible();
        expect(await objections(page)).toEqual([]);
        await fits(page);
        await choose(page, { name: "noise", mimeType: "application/octet-stream", buffer: Buffer.from("no image") });
        await expect(page.getByRole("alert").filter({ hasText: /\w/ })).toBeVisible();
        expect(await objections(page)).toEqual([]);
        await page.getByRole("button", { name: "Help" }).click();
        await expect(page.getByRole("dialog")).toBeVisible();
        expect(await objections(page)).toEqual([]);
        await fits(page);
      });

      for (const view of Object.keys(VIEWS)) {
        test(`axe has no objection to ${view}`, async ({ page, site }) => {
          await openFiles(page, site, ["related.tar"], 4);
          await goTo(page, view);
          await unfoldAll(page);
          expect(await objections(page)).toEqual([]);
          await fits(page);
        });
      }
    });
  }
}

test("axe has no objection to the question before an address is followed", async ({ page, site, registry, watch }) => {
  watch.hosts.add(registry.host);
  await page.goto(`${site.url}#${new URLSearchParams({ ref: `registry:${registry.host}/demo:v1` })}`);
  await expect(page.getByRole("button", { name: "Open these images" })).toBeVisible();
  expect(await objections(page)).toEqual([]);
});

test.describe("a very large screen", () => {
  test.use({ viewport: { width: 3840, height: 2160 } });
  for (const view of Object.keys(VIEWS)) {
    test(`${view} uses it`, async ({ page, site }) => {
      await openFiles(page, site, ["related.tar"], 4);
      await goTo(page, view);
      await fits(page);
    });
  }
});

/** Zooms into a directory of the tree, and counts the pictures that are seen on the way. */
async function zoom(page) {
  const picture = page.getByRole("main").locator("canvas[role=img]").first();
  await picture.focus();
  await page.keyboard.press("ArrowDown");
  await settled(page);
  await picture.evaluate((canvas) => {
    const pictures = new Set();
    const end = performance.now() + 1_000;
    const look = () => {
      pictures.add(canvas.toDataURL());
      if (performance.now() < end) requestAnimationFrame(look);
      else globalThis.pictures = pictures.size;
    };
    look();
  });
  await page.keyboard.press("Enter");
  const seen = await page.waitForFunction(() => globalThis.pictures);
  return seen.jsonValue();
}

test.describe("reduced motion", () => {
  test.use({ contextOptions: { reducedMotion: "reduce" } });

  test("pictures change at once, and nothing moves by itself", async ({ page, site }) => {
    await openFiles(page, site, ["related.tar"], 4);
    for (const view of Object.keys(VIEWS)) {
      await goTo(page, view);
      await settled(page);
      expect(await page.evaluate(() => document.getAnimations().length), view).toBe(0);
    }
    await goTo(page, "Tree");
    await settled(page);
    // The one before, the one after, and perhaps one with the cursor still where it was.
    expect(await zoom(page)).toBeLessThanOrEqual(3);
  });
});

test("where motion is welcome, the tree glides", async ({ page, site }) => {
  await openFiles(page, site, ["related.tar"], 4);
  await goTo(page, "Tree");
  await settled(page);
  expect(await zoom(page)).toBeGreaterThan(3);
});

test.describe("the keyboard alone", () => {
  test("opens the example, walks through every view, and finds each control with a visible focus", async ({ page, site }) => {
    test.slow();
    await page.goto(site.url);
    await expect(page.getByRole("button", { name: "Open the example" })).toBeVisible();
    await tabTo(page, "Open the example");
    await page.keyboard.press("Enter");
    await opened(page, 3);
    for (const [view, heading] of Object.entries(VIEWS)) {
      await tabTo(page, view);
      await page.keyboard.press("Enter");
      await expect(page.getByRole("heading", { level: 2, name: heading })).toBeVisible();
      await expect(page.getByRole("progressbar")).toHaveCount(0);
      const reached = await walk(page);
      const wanted = await page.evaluate(() =>
        [...document.querySelectorAll("main :is(a[href], button, input, select, canvas[role=img], summary)")]
          .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled && element.tabIndex >= 0)
          // Of radio buttons, Tab reaches one and arrows the others.
          .filter((element) => element.type !== "radio" || element.checked)
          .map((element) => element.outerHTML.slice(0, 120)),
      );
      expect(wanted.filter((element) => !reached.includes(element)), view).toEqual([]);
    }
  });

  test("pictures say what the arrows reach", async ({ page, site }) => {
    await openFiles(page, site, ["related.tar"], 4);
    for (const view of ["Tree", "Layers"]) {
      await goTo(page, view);
      const picture = page.getByRole("main").locator("canvas[role=img]").first();
      await expect(picture).toHaveAttribute("aria-label", /\w/);
      await picture.focus();
      const heard = () => page.locator("[aria-live=polite], [role=status]").allTextContents().then((texts) => texts.join("|"));
      const before = await heard();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowRight");
      await expect.poll(heard, view).not.toBe(before);
    }
  });
});

/** Presses Tab until something of this name has the focus. */
async function tabTo(page, name) {
  const at = () => page.evaluate(() => document.activeElement?.textContent?.trim() || document.activeElement?.getAttribute("aria-label"));
  for (let presses = 0; presses < 300; presses += 1) {
    await page.keyboard.press("Tab");
    if ((await at()) === name) return;
  }
  throw new Error(`Tab does not lead to ${name}`);
}

/** Presses Tab all the way round; returns what had the focus. Fails where the focus cannot be seen. */
async function walk(page) {
  await page.evaluate(() => document.activeElement?.blur());
  const reached = [];
  for (let presses = 0; presses < 600; presses += 1) {
    await page.keyboard.press("Tab");
    const { html, seen, end } = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return { end: true };
      const style = getComputedStyle(element);
      const seen = (style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
      // A file input shows it on its label.
      return { html: element.outerHTML.slice(0, 120), seen: seen || element.type === "file", end: false };
    });
    if (end || html === reached[0]) return reached;
    expect(seen, `the focus cannot be seen on ${html}`).toBe(true);
    reached.push(html);
  }
  throw new Error("Tab never comes round");
}

test("single keys lead to views, to opening and to help, and can be switched off", async ({ page, site }) => {
  await openFiles(page, site, ["related.tar"], 4);
  for (const [index, heading] of Object.values(VIEWS).entries()) {
    await page.keyboard.press(String(index + 1));
    await expect(page.getByRole("heading", { level: 2, name: heading })).toBeVisible();
  }
  await page.keyboard.press("o");
  await expect(page.getByRole("textbox", { name: "Image reference" })).toBeFocused();
  // Where people type, keys are letters.
  await page.keyboard.type("1?");
  await expect(page.getByRole("textbox", { name: "Image reference" })).toHaveValue("1?");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("?");
  const help = page.getByRole("dialog");
  await expect(help).toBeVisible();
  await help.getByRole("checkbox").first().uncheck();
  await page.keyboard.press("Escape");
  await expect(help).toBeHidden();
  await page.keyboard.press("1");
  await expect(page.getByRole("heading", { level: 2, name: VIEWS.Diff })).toBeVisible();
});

test("the theme that was chosen stays", async ({ page, site }) => {
  await page.goto(site.url);
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByLabel("Theme").selectOption({ label: "Dark" });
  await expect.poll(ground).not.toBe(light);
  await page.reload();
  await expect(page.getByLabel("Theme")).toBeVisible();
  await expect.poll(ground).not.toBe(light);
});

test("the heading is there before the core is", async ({ page, site }, info) => {
  const release = site.hold(/\.wasm$/);
  await page.goto(site.url);
  await expect(page.getByRole("heading", { level: 1, name: "Shingle" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Open the example" })).toBeVisible();
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  expect(paint).toBeGreaterThan(0);
  info.annotations.push({ type: "first contentful paint", description: `${Math.round(paint)} ms` });
  console.log(`first contentful paint: ${Math.round(paint)} ms`);
  release();
  await page.getByRole("button", { name: "Open the example" }).click();
  await opened(page, 3);
});

test.describe("below some path", () => {
  const prefix = "/some/where/else/";
  test.use({ prefix });

  test("the page works, and asks for nothing above it", async ({ page, site }) => {
    await openFiles(page, site, ["related.tar"], 4);
    await goTo(page, "Tree");
    await settled(page);
    expect(site.asked.filter((path) => !path.startsWith(prefix))).toEqual([]);
  });
});

test("without JavaScript the page says so", async ({ browser, site }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(site.url);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  expect(await page.locator("noscript").textContent()).toContain("shingle overlap");
  await context.close();
});
