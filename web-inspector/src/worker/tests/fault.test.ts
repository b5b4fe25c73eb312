// What is kept of failures, and what ends everything. Run: npx playwright test -c src/worker/tests

import { expect, test } from "@playwright/test";
import { because, failure, Faults, faultOf, isStop } from "../fault";

const fails = (error: unknown) => () => Promise.reject(error);

test("what fails is kept with what could not be done, and the rest goes on", async () => {
  const faults = new Faults();
  expect(faults.none).toBe(true);
  expect(await faults.attempt("A fails.", () => Promise.resolve(1))).toBe(1);
  expect(await faults.attempt("B fails.", fails(failure("lie", "it lies", { causes: ["why"], hint: "hint" })))).toBeUndefined();
  expect(await faults.attempt("C fails.", fails(new TypeError("odd")))).toBeUndefined();
  expect(faults.none).toBe(false);
  expect(faults.list()).toEqual([
    { message: "B fails.", causes: ["it lies", "why"], hint: "hint", kind: "lie" },
    { message: "C fails.", causes: ["odd"], hint: undefined, kind: "other" },
  ]);
});

test("being cancelled and the core's end end all", async () => {
  const faults = new Faults();
  const aborted = new DOMException("gone", "AbortError");
  const stopped = new WebAssembly.RuntimeError("unreachable");
  for (const error of [aborted, because("x", aborted), stopped, because("x", because("y", stopped))]) {
    await expect(faults.attempt("It fails.", fails(error))).rejects.toBe(error);
  }
  expect(faults.none).toBe(true);
  // However often it is explained, the page must hear that the core cannot be used any more.
  expect(isStop(because("x", because("y", stopped)))).toBe(true);
  expect(faultOf(because("x", aborted)).kind).toBe("cancelled");
});

test("of very many there is only the number", () => {
  const faults = new Faults();
  for (let index = 0; index < 1_000; index += 1) faults.keep(failure("input", `${index}`));
  const list = faults.list();
  expect(list.length).toBe(21);
  expect(list.at(-1)?.message).toBe("980 more could not be opened.");
});
