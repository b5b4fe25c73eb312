// Work that is done side by side, and one thing after the other. Run: npx playwright test -c src/worker/tests

import { expect, test } from "@playwright/test";
import { forEach, Line, Pauses } from "../task";

const later = (ms: number) => new Promise((resume) => setTimeout(resume, ms));

test("so many at once, in order; after an error nothing begins, and the first in time is thrown", async () => {
  let [now, most] = [0, 0];
  const doubled = await forEach([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, (now += 1));
    await later(6 - item);
    now -= 1;
    return 2 * item;
  });
  expect([doubled, most]).toEqual([[2, 4, 6, 8, 10], 2]);
  const begun: number[] = [];
  const failing = forEach([0, 1, 2, 3], 2, async (item) => {
    begun.push(item);
    await later(item === 0 ? 30 : 5);
    throw new Error(`item ${item}`);
  });
  await expect(failing).rejects.toThrow("item 1");
  expect(begun).toEqual([0, 1]);
  expect(await forEach([], 4, () => Promise.reject(new Error("none")))).toEqual([]);
});

test("one job after the other; what is cancelled while it waits never begins", async () => {
  const line = new Line();
  const said: string[] = [];
  const free = new AbortController().signal;
  const cancelled = new AbortController();
  const first = line.push(free, async () => {
    await later(20);
    said.push("first");
    throw new Error("first fails");
  });
  const second = line.push(cancelled.signal, () => void said.push("second"));
  const third = line.push(free, () => said.push("third"));
  cancelled.abort();
  await expect(first).rejects.toThrow("first fails");
  await expect(second).rejects.toThrow(/abort/i);
  expect(await third).toBe(2);
  expect(said).toEqual(["first", "third"]);
});

test("work that never waits hears that it is cancelled", async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 0);
  const pauses = new Pauses(controller.signal);
  const started = performance.now();
  const busy = async () => {
    for (;;) await pauses.take();
  };
  await expect(busy()).rejects.toThrow(/abort/i);
  expect(performance.now() - started).toBeLessThan(1_000);
});
