// Every way in which images come into the page.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { ZOO_GZIP, made } from "./help/images.mjs";
import { choose, expect, follow, goTo, openReference, opened, test } from "./help/page.mjs";
import { told } from "./help/shingle.mjs";

const list = (page) => page.getByRole("list", { name: "Images" });
const alert = (page) => page.getByRole("alert").filter({ hasText: /\w/ });
const file = (name, buffer) => ({ name, mimeType: "application/octet-stream", buffer });

/** Digests of the layers of the demo's images. */
async function layers(...refs) {
  const { images, read } = await told("overlap", ...refs);
  return { digests: images.flatMap(({ layers }) => layers.map(({ blob }) => blob)), read, images };
}

test.describe("a registry that lets pages ask", () => {
  test("images open from their tables of contents alone", async ({ page, site, registry, watch }) => {
    watch.hosts.add(registry.host);
    await page.goto(site.url);
    await openReference(page, `${registry.host}/demo:v1`);
    await opened(page, 1);
    await openReference(page, `${registry.host}/demo:v2`);
    await opened(page, 2);
    await goTo(page, "Overlap");
    const { digests, read } = await layers(`oci:${made("demo")}:v1`, `oci:${made("demo")}:v2`);
    const sent = registry.sent(digests);
    expect(sent).toEqual({ bytes: read.bytes, requests: read.requests });
  });

  test("a token is fetched when the registry wants one", async ({ page, site, registry, watch }) => {
    watch.hosts.add(registry.host);
    watch.expects(/console: Failed to load resource.* 401/);
    registry.switches.token = true;
    await page.goto(site.url);
    await openReference(page, `${registry.host}/demo:v1`);
    await opened(page, 1);
    expect(registry.log.filter(({ path }) => path === "/token").length).toBeGreaterThan(0);
  });

  test("by digest", async ({ page, site, registry, watch }) => {
    watch.hosts.add(registry.host);
    const [manifest] = JSON.parse(readFileSync(made("demo/index.json"))).manifests;
    await page.goto(site.url);
    await openReference(page, `${registry.host}/demo@${manifest.digest}`);
    await opened(page, 1);
  });

  test("a layer without a table of contents is read whole, with progress", async ({ page, site, registry, watch }) => {
    watch.hosts.add(registry.host);
    registry.switches.speed = 100_000;
    await page.goto(site.url);
    await openReference(page, `${registry.host}/zoo/gzip:zoo`);
    await expect(page.getByRole("progressbar").first()).toBeVisible();
    await opened(page, 1);
    const { images } = await told("overlap", `oci:${ZOO_GZIP}:zoo`, `oci:${ZOO_GZIP}:zoo`);
    const [layer] = images[0].layers;
    expect(registry.sent([layer.blob]).bytes).toBe(layer.blob_bytes);
  });

  test("opening can be cancelled, and then asks no more", async ({ page, site, registry, watch }) => {
    watch.hosts.add(registry.host);
    registry.switches.speed = 5_000;
    await page.goto(site.url);
    await openReference(page, `${registry.host}/zoo/gzip:zoo`);
    await page.getByRole("button", { name: "Cancel" }).first().click();
    await expect(page.getByRole("progressbar")).toHaveCount(0);
    const asked = registry.log.length;
    await page.waitForTimeout(1_000);
    expect(registry.log.length).toBe(asked);
    registry.switches.speed = 0;
    await openReference(page, `${registry.host}/demo:v1`);
    await opened(page, 1);
  });

  test("a registry that is busy is asked again, later", async ({ page, site, registry, watch }) => {
    watch.hosts.add(registry.host);
    watch.expects(/console: Failed to load resource.* 429/);
    registry.switches.busy = 1;
    await page.goto(site.url);
    await openReference(page, `${registry.host}/demo:v1`);
    await opened(page, 1);
  });

  for (const [ranges, says] of Object.entries({ whole: undefined, wider: undefined, short: undefined, other: /digest|sha256|table of contents/i, flipped: /digest|sha256|table of contents/i })) {
    test(`ranges that are ${ranges}`, async ({ page, site, registry, watch }) => {
      watch.hosts.add(registry.host);
      registry.switches.ranges = ranges;
      await page.goto(site.url);
      await openReference(page, `${registry.host}/demo:v1`);
      if (says) await expect(alert(page)).toHaveText(says);
      else await opened(page, 1);
    });
  }

  test("what is not there is named", async ({ page, site, registry, watch }) => {
    watch.hosts.add(registry.host);
    watch.expects(/console: Failed to load resource.* 404/);
    await page.goto(site.url);
    await openReference(page, `${registry.host}/demo:v9`);
    await expect(alert(page)).toContainText("v9");
  });
});

test.describe("a registry that does not let pages ask", () => {
  test("CORS is explained, with what to do", async ({ page, site, registry, watch }) => {
    watch.hosts.add(registry.host);
    watch.expects(/console: .*(CORS|ERR_FAILED)/);
    registry.switches.cors = false;
    await page.goto(site.url);
    await openReference(page, `${registry.host}/demo:v1`);
    await expect(alert(page)).toContainText(/CORS/);
    await expect(alert(page)).toContainText(/shingle inspect --web/);
  });

  test("a registry that is not there", async ({ page, site, watch }) => {
    watch.hosts.add("127.0.0.1:1");
    watch.expects(/console: .*ERR_(UNSAFE_PORT|CONNECTION_REFUSED|FAILED)/);
    await page.goto(site.url);
    await openReference(page, "127.0.0.1:1/demo:v1");
    await expect(alert(page)).toContainText("127.0.0.1:1");
  });
});

test.describe("files", () => {
  for (const [name, { files, count, by = "Choose files" }] of Object.entries({
    "an OCI archive that shingle wrote": { files: ["v1.tar"], count: 1 },
    "an OCI archive that GNU tar wrote, of two images": { files: ["demo.tar"], count: 2 },
    "a docker-archive": { files: ["docker-v1.tar"], count: 1 },
    "an OCI archive of a gzip image": { files: ["gzip.tar"], count: 1 },
    "archives, several at once": { files: ["v1.tar", "docker-v2.tar", "related.tar"], count: 6 },
    "an uncompressed layer": { files: ["zoo.tar"], count: 1 },
    "an eStargz": { files: ["zoo.estargz"], count: 1 },
    "a layout's folder": { files: "demo", count: 2, by: "Choose a folder" },
  })) {
    test(name, async ({ page, site }) => {
      await page.goto(site.url);
      await page.getByLabel(by).setInputFiles(Array.isArray(files) ? files.map(made) : made(files));
      await opened(page, count);
      await goTo(page, "Tree");
      await expect(alert(page)).toHaveCount(0);
    });
  }

  test("a single zstd:chunked blob", async ({ page, site }) => {
    const { images } = await layers(`oci:${made("demo")}:v1`, `oci:${made("demo")}:v2`);
    const { blob } = images[0].layers[1];
    await page.goto(site.url);
    await choose(page, file("layer", readFileSync(made(`demo/blobs/sha256/${blob.slice(7)}`))));
    await opened(page, 1);
  });

  test("a single gzip blob", async ({ page, site }) => {
    const { images } = await layers(`oci:${ZOO_GZIP}:zoo`, `oci:${ZOO_GZIP}:zoo`);
    await page.goto(site.url);
    await choose(page, file("layer.tar.gz", readFileSync(join(ZOO_GZIP, "blobs/sha256", images[0].layers[0].blob.slice(7)))));
    await opened(page, 1);
  });

  test("dropped on the page", async ({ page, site }) => {
    await page.goto(site.url);
    await expect(page.getByRole("button", { name: "Open the example" })).toBeVisible();
    const bytes = readFileSync(made("v1.tar")).toString("base64");
    const carried = await page.evaluateHandle(async (base64) => {
      const transfer = new DataTransfer();
      const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
      transfer.items.add(new File([bytes], "v1.tar"));
      return transfer;
    }, bytes);
    for (const kind of ["dragenter", "dragover", "drop"]) await page.dispatchEvent("body", kind, { dataTransfer: carried });
    await opened(page, 1);
  });

  test("closing an image leaves the others", async ({ page, site }) => {
    await page.goto(site.url);
    await choose(page, "related.tar");
    await opened(page, 4);
    await list(page).getByRole("button", { name: /^Close / }).first().click();
    await opened(page, 3);
    await goTo(page, "Tree");
    await expect(alert(page)).toHaveCount(0);
  });
});

test("an address that names images asks nobody before it is allowed to", async ({ page, site, registry, watch }) => {
  watch.hosts.add(registry.host);
  const url = `${site.url}#${new URLSearchParams({ ref: `registry:${registry.host}/demo:v1` })}`;
  await page.goto(url);
  await expect(page.getByRole("list", { name: "Hosts" })).toHaveText(registry.host);
  await page.getByRole("button", { name: "Do not open them" }).click();
  await expect(page.getByRole("region", { name: "Open images" })).toBeVisible();
  expect(registry.log).toEqual([]);
  await page.goto("about:blank");
  await follow(page, url);
  await opened(page, 1);
});

test("the example opens, and asks nobody else", async ({ page, site }) => {
  await page.goto(site.url);
  await page.getByRole("button", { name: "Open the example" }).click();
  await opened(page, 3);
  await goTo(page, "Overlap");
});

