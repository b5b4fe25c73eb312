// The reader of archives' tars. Run: npx playwright test -c src/worker/tests

import { expect, test } from "@playwright/test";
import { ofTar } from "../files/folder";
import { clean, members, windows, type Member } from "../files/tar";

const encoder = new TextEncoder();

interface Made {
  name: string;
  type?: string;
  content?: string;
  link?: string;
  prefix?: string;
  /** The size field, where it is not the content's length. */
  size?: string;
  magic?: string;
}

/** One member with its content, padded. */
function made({ name, type = "0", content = "", link = "", prefix = "", size, magic = "ustar\0" }: Made): Uint8Array<ArrayBuffer> {
  const data = encoder.encode(content);
  const bytes = new Uint8Array(512 + 512 * Math.ceil(data.length / 512));
  const put = (at: number, text: string) => bytes.set(Uint8Array.from(text, (c) => c.charCodeAt(0)), at);
  put(0, name);
  put(124, size ?? `${data.length.toString(8).padStart(11, "0")}\0`);
  put(148, " ".repeat(8));
  put(156, type);
  put(157, link);
  put(257, magic);
  put(345, prefix);
  const sum = bytes.subarray(0, 512).reduce((all, byte) => all + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  bytes.set(data, 512);
  return bytes;
}

async function read(parts: Uint8Array<ArrayBuffer>[], window?: number): Promise<Member[]> {
  const found: Member[] = [];
  for await (const member of members(windows(new Blob(parts), window), new AbortController().signal)) found.push(member);
  return found;
}

function pax(key: string, value: string): string {
  const rest = encoder.encode(` ${key}=${value}\n`).length;
  let length = rest + 1;
  while (`${length}`.length + rest !== length) length += 1;
  return `${length} ${key}=${value}\n`;
}

const END = new Uint8Array(1024);

test("files, links and where they lie", async () => {
  const parts = [
    made({ name: "./d/", type: "5" }),
    made({ name: "./d/a", content: "x".repeat(600) }),
    made({ name: "b", prefix: "very/long" }),
    made({ name: "hard", type: "1", link: "d/a", size: "00000001000\0" }),
    made({ name: "d/soft", type: "2", link: "../b" }),
    made({ name: "old", type: "\0", content: "z", magic: "\0\0\0\0\0\0" }),
    END,
  ];
  for (const window of [512, 1000, 1 << 20]) {
    const found = await read(parts, window);
    expect(found.map(({ name, kind }) => [clean(name), kind])).toEqual([
      ["d", "other"],
      ["d/a", "file"],
      ["very/long/b", "file"],
      ["hard", "link"],
      ["d/soft", "link"],
      ["old", "file"],
    ]);
    expect(found[1]).toMatchObject({ start: 1024, size: 600 });
    expect(found[5]).toMatchObject({ start: 1024 + 1024 + 4 * 512, size: 1 });
    expect(clean(found[4]?.target ?? "")).toBe("b");
  }
});

test("long names by GNU and by pax, and sizes by pax", async () => {
  const long = `${"n".repeat(300)}/x`;
  const found = await read([
    made({ name: "././@LongLink", type: "L", content: `${long}\0` }),
    made({ name: "short", content: "1" }),
    made({ name: "h", type: "x", content: pax("path", "päx/é") + pax("size", "3") }),
    made({ name: "short", content: "123", size: "00000000000\0" }),
    made({ name: "after", content: "4" }),
    made({ name: "g", type: "g", content: pax("comment", "hello") }),
    made({ name: "last", content: "5" }),
  ]);
  expect(found.map(({ name, size }) => [name, size])).toEqual([
    [long, 1],
    ["päx/é", 3],
    ["after", 1],
    ["last", 1],
  ]);
});

test("sparse files are no files, and 8 GiB fit", async () => {
  const sparse = await read([
    made({ name: "h", type: "x", content: pax("GNU.sparse.major", "1") }),
    made({ name: "s", content: "1" }),
    made({ name: "t", type: "S", content: "1" }),
  ]);
  expect(sparse.map(({ kind }) => kind)).toEqual(["other", "other"]);
  const large = made({ name: "big", size: "\x80\0\0\0\0\0\0\x02\0\0\0\0" });
  await expect(read([large])).rejects.toThrow("inside a member");
});

test("what is no tar is refused", async () => {
  const bad = made({ name: "a" });
  bad[0] = 0x62;
  const table: [Uint8Array<ArrayBuffer>[], string][] = [
    [[bad], "no tar header at byte 0"],
    [[made({ name: "a" }), new Uint8Array(100).fill(1)], "inside a header"],
    [[made({ name: "a", size: "00000010000\0" })], "inside a member"],
    [[made({ name: "a", size: "not a size\0\0" })], "no length"],
    [[made({ name: "a", size: "\xff".repeat(12) })], "no length"],
    [[made({ name: "h", type: "x", content: "9999 path=x\n" })], "pax header"],
    [[made({ name: "h", type: "x", content: "0 path=x\n" })], "pax header"],
    [[made({ name: "h", type: "x", content: pax("size", "-1") })], "pax size"],
    [[made({ name: "h", type: "L", content: "x".repeat((1 << 20) + 1) })], "1048577 bytes"],
  ];
  for (const [parts, reason] of table) await expect(read(parts), reason).rejects.toThrow(reason);
  expect(await read([END])).toEqual([]);
  expect(await read([])).toEqual([]);
});

test("a tar as a folder: links are followed, what is there twice is a lie, what leads out is not there", async () => {
  const folder = await ofTar(
    "x.tar",
    new Blob([
      made({ name: "./a/file", content: "1" }),
      made({ name: "a/soft", type: "2", link: "../a/file" }),
      made({ name: "hard", type: "1", link: "a/soft" }),
      made({ name: "absolute", type: "2", link: "/a/file" }),
      made({ name: "/rooted", content: "2" }),
      made({ name: "out", type: "2", link: "../a/file" }),
      made({ name: "loop", type: "2", link: "loop" }),
      made({ name: "twice", content: "3" }),
      made({ name: "twice", content: "4" }),
      END,
    ]),
    new AbortController().signal,
  );
  for (const path of ["a/file", "./a//file", "a/soft", "hard"]) expect(await folder.find(path)?.text(), path).toBe("1");
  for (const path of ["absolute", "rooted", "/rooted", "/a/file", "out", "loop", "none", "", "..", "/"]) {
    expect(folder.find(path), path).toBeUndefined();
  }
  expect(() => folder.find("twice")).toThrow("x.tar holds twice twice");
});

test("paths that lead out are none", () => {
  expect(clean("a/./b//c/../d/")).toBe("a/b/d");
  expect(clean("/a")).toBeUndefined();
  expect(clean("../a")).toBeUndefined();
  expect(clean("a/../../b")).toBeUndefined();
  expect(clean("./")).toBeUndefined();
});
