// The address, which strangers write. Run: npx playwright test src/shell

import { expect, test } from "@playwright/test";
import { type Route, START, clamp, read, renumber, write } from "../../route";

test("the start has no address, and no address is the start", () => {
  expect(write(START)).toBe("");
  expect(read("")).toEqual(START);
});

test("what is written is read again", () => {
  const route: Route = {
    view: "pull",
    refs: ["helper:alpine", "registry:localhost:5000/a&b=c#d:1"],
    image: 1,
    other: 0,
    path: "etc/a b+c%20&d",
    layer: 3,
    measure: "logical",
    picture: "treemap",
    colour: "most",
    grain: "files",
    cells: "bytes",
    without: ["added", "renamed"],
    having: [1, 0],
    order: [1],
    roundTripMs: 0.5,
    megabytesPerSecond: 1.25,
    linkMode: "reflink",
    search: "ü/?#",
  };
  expect(read(write(route))).toEqual(route);
});

test("any path is read again, also bytes that are no characters", () => {
  for (const path of ["a\\b", "\\xff", "\\\\xff", "\udcff/\udc80", "a\\\udcffb", "\u{1f600}\u202e\n"]) {
    expect(read(write({ ...START, path })).path).toBe(path);
  }
  expect(read("#path=a%5Cb").path).toBe("a\\b");
});

test("what makes no sense is as at the start", () => {
  const table = [
    "#view=constructor",
    "#image=-1&other=1e9&layer=NaN",
    "#image=&roundTripMs=Infinity&megabytesPerSecond=0",
    "#having=a.b.-1.99999&order=1,2",
    "#grain=blobs&cells=&colour=red&without=everything",
    "#linkMode=&measure=COMPRESSED&picture=pie",
    "#%E0%A4%A=&&=",
  ];
  for (const hash of table) expect(read(hash), hash).toEqual(START);
  expect(read("#image=1.9").image).toBe(1);
  expect(read("#having=2.2.1").having).toEqual([2, 1]);
});

test("references are few, short, and each there once", () => {
  const many = Array.from({ length: 200 }, (_, index) => `ref=registry:x/${index}`).join("&");
  expect(read(`#${many}`).refs).toHaveLength(100);
  expect(read("#ref=helper:a&ref=helper:a&ref=helper:b").refs).toEqual(["helper:a", "helper:b"]);
  expect(read(`#ref=helper:${"a".repeat(1_001)}`).refs).toEqual([]);
});

test("numbers fit the images that there are", () => {
  const route: Route = { ...START, image: 7, other: 7, having: [0, 2, 7], order: [7, 1] };
  expect(clamp(route, 3)).toMatchObject({ image: 2, other: 0, having: [0, 2], order: [1] });
  expect(clamp({ ...START, image: 0, other: 0 }, 2)).toMatchObject({ image: 0, other: 1 });
  expect(clamp(START, 1)).toMatchObject({ image: 0, other: 0 });
  expect(clamp(route, 0)).toMatchObject({ image: 0, other: 0, having: [], order: [] });
});

test("numbers follow images when one is closed", () => {
  const closed = (gone: number) => (image: number) => (image === gone ? undefined : image > gone ? image - 1 : image);
  const route: Route = { ...START, image: 2, other: 1, having: [0, 1, 2], order: [2, 0] };
  expect(renumber(route, closed(0))).toMatchObject({ image: 1, other: 0, having: [0, 1], order: [1] });
  expect(renumber(route, closed(2))).toMatchObject({ image: 2, other: 1, having: [0, 1], order: [0] });
});
