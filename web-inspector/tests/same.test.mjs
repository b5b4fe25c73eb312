// The same image gives the same figures whatever way it comes, and they are the command's.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

import { digestOf, seal, takeApart } from "./help/chunked.mjs";
import { figures, fileOf } from "./help/export.mjs";
import { LIES } from "./help/hostile.mjs";
import { made } from "./help/images.mjs";
import { archive, gzipLayer, layout, plainLayer, writeLayout } from "./help/layout.mjs";
import { choose, expect, goTo, openReference, opened, settled, test } from "./help/page.mjs";
import { shingle, told } from "./help/shingle.mjs";
import { tar } from "./help/tar.mjs";
import { frame } from "./help/zstd.mjs";
import { serveHelper } from "./servers/helper.mjs";
import { serveRegistry } from "./servers/registry.mjs";

const file = (name, buffer) => ({ name, mimeType: "application/octet-stream", buffer });
const text = (word, length) => Buffer.alloc(length, `${word} `);
const members = (word) => [
  { name: `${word}/`, type: "5", mode: 0o755 },
  { name: `${word}/large`, content: text(word, 50_000) },
  { name: `${word}/small`, content: word },
];

/** A layer of each kind: with a TOC and a tar-split, with a TOC alone, an eStargz, and such without. */
function kinds() {
  const untied = seal(takeApart(members("untied"), 4096));
  delete untied.annotations["io.github.containers.zstd-chunked.tarsplit-position"];
  const broken = takeApart(members("broken"), 4096);
  const noToc = seal({ ...broken, tocText: Buffer.from("no TOC") });
  return [
    seal(takeApart(members("chunked"), 4096)),
    untied,
    noToc,
    { ...noToc, annotations: untiedKeys(noToc.annotations) },
    estargz(),
    gzipLayer(tar(members("gzip"))),
    plainLayer(tar(members("plain"))),
  ];
}

function untiedKeys(annotations) {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.endsWith("tarsplit-position")));
}

/** The fixture, which is shorter than what is read of an end. */
function estargz() {
  const blob = readFileSync(made("zoo.estargz"));
  const at = Number.parseInt(/\0([0-9a-f]{16})STARGZ/.exec(blob.subarray(-51).toString("latin1"))[1], 16);
  const packed = gunzipSync(blob.subarray(at, -51));
  const length = Number.parseInt(packed.toString("latin1", 124, 135), 8);
  return {
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    blob,
    diffId: digestOf(gunzipSync(blob)),
    annotations: { "containerd.io/snapshot/stargz/toc.digest": digestOf(packed.subarray(512, 512 + length)) },
  };
}

/** A layout of such an image, as files and in a folder. */
const images = test.extend({
  kinds: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), "shingle-same-"));
    const files = layout({ kinds: kinds() });
    writeLayout(files, folder);
    await use({ files, folder, ref: `oci:${folder}:kinds` });
    rmSync(folder, { recursive: true });
  },
});

/** What the page makes of the one image that is open. */
async function seen(page) {
  await opened(page, 1, { timeout: 30_000 });
  await goTo(page, "Pull");
  await settled(page);
  const { pulls } = await figures(page);
  const [{ image: _image, layers, ...pull }] = pulls;
  return { pull, layers };
}

/** Holds that against what the command says of a pull. */
async function agree({ pull, layers }, ref) {
  const plan = await told("plan", "--given-nothing", "--round-trip-ms", "20", "--bandwidth", "10000000", "--jobs", "8", ref);
  const keys = { blobBytes: "blob_bytes", tocBytes: "toc_bytes", fetchedBytes: "fetched_bytes", requests: "requests", contentBytes: "content_bytes" };
  for (const [key, word] of Object.entries(keys)) expect(pull[key], key).toBe(plan.total[word]);
  expect(layers.length).toBe(plan.layers.length);
  for (const [index, said] of plan.layers.entries()) {
    const layer = layers[index];
    expect([layer.mode, layer.why ?? null], `layer ${index}`).toEqual([said.mode, said.why ?? null]);
    for (const key of ["blob", "fetchedBytes", "requests"]) expect(layer[key], `layer ${index} ${key}`).toBe(said[keys[key] ?? key]);
  }
}

const { describe } = images;

describe("an image of every kind of layer", () => {
  const ways = {
    "an archive": (files) => [file("kinds.tar", archive(files))],
    "a gzip archive": (files) => [file("kinds.tar.gz", gzipSync(archive(files)))],
    "a gzip archive in several members": (files) => {
      const bytes = archive(files);
      const half = bytes.length >> 1;
      return [file("kinds.tar.gz", Buffer.concat([gzipSync(bytes.subarray(0, half)), gzipSync(bytes.subarray(half))]))];
    },
    "a zstd archive": (files) => [file("kinds.tar.zst", frame(archive(files)))],
  };
  for (const [name, make] of Object.entries(ways)) {
    images(`from ${name}`, async ({ page, site, kinds }) => {
      await page.goto(site.url);
      await choose(page, ...make(kinds.files));
      await agree(await seen(page), kinds.ref);
    });
  }

  images("from a folder, and from what the page saves", async ({ page, site, kinds }) => {
    await page.goto(site.url);
    await page.getByLabel("Choose a folder").setInputFiles(kinds.folder);
    const before = await seen(page);
    await agree(before, kinds.ref);
    const saving = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save what is known" }).click();
    const { bytes } = await fileOf(await saving);
    await page.reload();
    await choose(page, file("images.shingle-tocs", bytes));
    expect(await seen(page)).toEqual(before);
  });

  images("from a registry", async ({ page, site, kinds, watch }) => {
    const registry = await serveRegistry({ kinds: kinds.folder });
    watch.hosts.add(registry.host);
    await page.goto(site.url);
    await openReference(page, `${registry.host}/kinds:kinds`);
    await agree(await seen(page), kinds.ref);
    registry.close();
  });

  images("through the command", async ({ page, kinds }) => {
    const helper = await serveHelper([kinds.ref]);
    await page.goto(helper.url);
    await agree(await seen(page), kinds.ref);
    await helper.close();
  });
});

images("a registry that refuses ranges gets its layers read whole", async ({ page, site, kinds, watch }) => {
  const registry = await serveRegistry({ kinds: kinds.folder }, { ranges: "refused" });
  watch.hosts.add(registry.host);
  watch.expects(/console: Failed to load resource.* 416/);
  await page.goto(site.url);
  await openReference(page, `${registry.host}/kinds:kinds`);
  const { layers } = await seen(page);
  expect(layers[0]).toMatchObject({ mode: "whole", why: "the registry does not serve ranges of this blob" });
  // By way of the command it is the same.
  const helper = await serveHelper([`${registry.host}/kinds:kinds`], "--tls-verify=false");
  watch.hosts.add(new URL(helper.url).host);
  watch.expects(/console: Failed to load resource.* 501/);
  await page.goto(helper.url);
  const { layers: theirs } = await seen(page);
  expect(theirs).toEqual(layers);
  await helper.close();
  registry.close();
});

test("one layer of which two images say different things is pulled in two ways", async ({ page, site }) => {
  const chunked = seal(takeApart(members("same"), 4096));
  const images = { with: [chunked], without: [{ ...chunked, annotations: {} }] };
  for (const order of [["with", "without"], ["without", "with"]]) {
    await page.goto(site.url);
    for (const tag of order) await choose(page, file(`${tag}.tar`, archive(layout({ [tag]: images[tag] }))));
    await opened(page, 2);
    await goTo(page, "Layers");
    for (const [image, tag] of order.entries()) {
      await page.evaluate((hash) => (location.hash = hash), `view=layers&image=${image}`);
      await expect(page.getByRole("combobox", { name: "Image", exact: true }).locator("option:checked")).toContainText(`${tag}:${tag}`);
      await settled(page);
      const { layer } = await figures(page);
      if (tag === "with") expect(layer.whole).toBeUndefined();
      else expect(layer.whole).toContain("no table of contents");
    }
    await page.reload();
  }
});

test("one image that is broken leaves the others", async ({ page, site }) => {
  const good = gzipLayer(tar(members("good")));
  const bad = { ...gzipLayer(tar(members("bad"))), diffId: digestOf("other") };
  await page.goto(site.url);
  await choose(page, file("mixed.tar", archive(layout({ good: [good], bad: [good, bad], fine: [good] }))), file("noise.bin", Buffer.alloc(600, 7)));
  await opened(page, 2);
  const alerts = page.getByRole("alert").filter({ hasText: /\w/ });
  await expect(alerts).toHaveCount(2);
  await expect(alerts.first()).toContainText("mixed:bad cannot be opened");
  await expect(alerts.first()).toContainText("Layer 2 of 2");
  await expect(alerts.first()).toContainText("sha256:");
  await expect(alerts.last()).toContainText("noise.bin");
});

test("a broken layer ends the reading of the others", async ({ page, site, watch }) => {
  const folder = await mkdtemp(join(tmpdir(), "shingle-same-"));
  const bad = { ...gzipLayer(tar(members("bad"))), diffId: digestOf("other") };
  const long = plainLayer(tar([{ name: "long", content: Buffer.alloc(1 << 20) }]));
  writeLayout(layout({ bad: [long, bad] }), folder);
  // All of it would take minutes.
  const registry = await serveRegistry({ bad: folder }, { speed: 10_000 });
  watch.hosts.add(registry.host);
  await page.goto(site.url);
  await openReference(page, `${registry.host}/bad:bad`);
  await expect(page.getByRole("alert").filter({ hasText: /\w/ })).toContainText("Layer 2 of 2");
  registry.close();
  rmSync(folder, { recursive: true });
});

test("a TOC that lies is refused in the command's words, which say where", async ({ page, site }) => {
  await page.goto(site.url);
  const alert = page.getByRole("alert").filter({ hasText: /\w/ });
  for (const [name, make] of Object.entries(LIES)) {
    const [lie] = make();
    const path = made(`lie-${Object.keys(LIES).indexOf(name)}.tar`);
    writeFileSync(path, lie.buffer);
    const refused = await shingle("plan", "--json", "--no-cache", "--given-nothing", `oci-archive:${path}`).catch((error) => error);
    expect(refused.code, name).toBe(1);
    const { causes } = JSON.parse(refused.stderr);
    await choose(page, lie);
    await expect(alert, name).toContainText("hostile:hostile cannot be opened.");
    await expect(alert, name).toContainText("Layer 1 of 1 (sha256:");
    await expect(alert, name).toContainText(causes.at(-1));
    await alert.getByRole("button", { name: "Dismiss" }).click();
    await expect(alert).toHaveCount(0);
  }
});
