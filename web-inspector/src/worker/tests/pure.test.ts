// The parts of the worker that need no browser. Run: npx playwright test -c src/worker/tests

import { expect, test } from "@playwright/test";
import { rank, writePlatform } from "../image/platform";
import { readChallenges } from "../remote/challenge";
import { apiOf, readReference, writeReference } from "../remote/reference";
import { pathBytes, pathText } from "../text";

const DIGEST = `sha256:${"ab".repeat(32)}`;

test("references are filled up as the command does", () => {
  const table: [string, string][] = [
    ["alpine", "docker.io/library/alpine:latest"],
    [" docker://alpine:3 ", "docker.io/library/alpine:3"],
    ["docker.io/alpine", "docker.io/library/alpine:latest"],
    ["index.docker.io/me/x", "docker.io/me/x:latest"],
    ["me/x", "docker.io/me/x:latest"],
    ["quay.io/a/b/c:T_1.x-y", "quay.io/a/b/c:T_1.x-y"],
    ["localhost/x", "localhost/x:latest"],
    ["localhost:5000/x", "localhost:5000/x:latest"],
    ["localhost:5000", "docker.io/library/localhost:5000"],
    ["127.0.0.1:5000/x:y", "127.0.0.1:5000/x:y"],
    ["[::1]:5000/x", "[::1]:5000/x:latest"],
    ["[::1]/x", "[::1]/x:latest"],
    ["Host/x", "Host/x:latest"],
    ["a__b/c-d.e---f", "docker.io/a__b/c-d.e---f:latest"],
    [`quay.io/x@${DIGEST}`, `quay.io/x@${DIGEST}`],
    [`quay.io/x:t@${DIGEST}`, `quay.io/x:t@${DIGEST}`],
  ];
  for (const [text, expected] of table) {
    expect(writeReference(readReference(text)), text).toBe(expected);
    expect(writeReference(readReference(expected))).toBe(expected);
  }
});

test("what names no image is refused", () => {
  const table: [string, string][] = [
    ["", "no repository"],
    [":tag", "no repository"],
    ["https://quay.io/x", "https:// is not"],
    ["Alpine", "must be lower case"],
    ["quay.io/Fedora/fedora", "must be lower case"],
    ["quay.io/a//b", "not a repository"],
    ["quay.io/", "not a repository"],
    ["a_-b", "not a repository"],
    ["-a", "not a repository"],
    ["a-", "not a repository"],
    ["a b", "not a repository"],
    ["é", "not a repository"],
    ["x:", "not a tag"],
    ["x:-t", "not a tag"],
    ["-x.y/z", "not a host"],
    ["h:99999/z", "not a host"],
    ["[::g]:1/z", "not a host"],
    ["[::1]x/z", "not a host"],
    ["x@sha512:00", "SHA-256"],
    ["x@", "SHA-256"],
    [`quay.io/${"a".repeat(250)}`, "258 characters"],
    ["ab".repeat(32), "a digest alone"],
    ["evil.example/../x", "not a repository"],
    ["user@host/x", "SHA-256"],
  ];
  for (const [text, reason] of table) expect(() => readReference(text), text).toThrow(reason);
});

test("only this machine is asked without encryption", () => {
  const api = (text: string) => apiOf(readReference(text));
  expect(api("alpine")).toBe("https://registry-1.docker.io/v2/library/alpine");
  expect(api("localhost:5000/x")).toBe("http://localhost:5000/v2/x");
  expect(api("127.0.0.1:5000/x")).toBe("http://127.0.0.1:5000/v2/x");
  expect(api("[::1]:5000/x")).toBe("http://[::1]:5000/v2/x");
  for (const host of ["127.0.0.1.example.com", "localhost.example.com", "10.0.0.1"]) {
    expect(api(`${host}/x`)).toBe(`https://${host}/v2/x`);
  }
});

test("challenges as registries write them, and nonsense", () => {
  const hub = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"';
  const [challenge] = readChallenges(hub);
  expect(challenge?.scheme).toBe("bearer");
  expect(challenge?.parameters.get("realm")).toBe("https://auth.docker.io/token");
  expect(challenge?.parameters.get("scope")).toBe("repository:a/b:pull,push");
  const [basic, bearer] = readChallenges('Basic realm="a \\"b\\", c", BEARER Realm = x , service=y');
  expect(basic?.parameters.get("realm")).toBe('a "b", c');
  expect([...(bearer?.parameters ?? [])]).toEqual([["realm", "x"], ["service", "y"]]);
  for (const text of ["", "=", "==,", "Bearer", "Bearer realm=", 'Bearer realm="', "a=b", ", ,", '\\"', 'é=ü "é']) {
    for (const { scheme } of readChallenges(text)) expect(scheme).not.toBe("");
  }
});

test("the nearest platform that runs here", () => {
  const table: [string, string[], string | undefined][] = [
    ["linux/amd64", ["linux/arm64", "linux/amd64"], "linux/amd64"],
    ["linux/amd64", ["linux/amd64/v3", "linux/amd64/v1"], "linux/amd64/v1"],
    ["linux/amd64", ["linux/amd64/v3"], undefined],
    ["linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], "linux/amd64/v2"],
    ["linux/arm64", ["linux/arm/v7", "linux/arm64/v8"], "linux/arm64/v8"],
    ["linux/arm", ["linux/arm/v5", "linux/arm/v6", "linux/arm/v7"], "linux/arm/v7"],
    ["linux/riscv64/x", ["linux/riscv64/y"], undefined],
    ["linux/amd64", ["windows/amd64"], undefined],
  ];
  const platform = (text: string) => {
    const [os = "", architecture = "", variant] = text.split("/");
    const read = { os, architecture, variant };
    expect(writePlatform(read)).toBe(text);
    return read;
  };
  for (const [wanted, offered, expected] of table) {
    const ranked = offered.map((text) => ({ text, rank: rank(platform(wanted), platform(text)) }));
    const fits = ranked.filter((one) => one.rank !== undefined).sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0));
    expect(fits[0]?.text, wanted).toBe(expected);
  }
});

test("a path's string stands for exactly its bytes", () => {
  const paths = [
    [],
    [0x61],
    [0xff, 0x2f, 0x61],
    [0xc3, 0xa9, 0xc3],
    [0xef, 0xbb, 0xbf, 0x61],
    [0xf0, 0x9f, 0x98, 0x80, 0x80, 0xf0, 0x9f, 0x98],
    [0xed, 0xb2, 0x80],
    [0xc0, 0x80, 0xf5, 0x80],
  ];
  const seen = new Set<string>();
  for (const bytes of paths) {
    const text = pathText(Uint8Array.from(bytes));
    expect([...pathBytes(text)]).toEqual(bytes);
    seen.add(text);
  }
  expect(seen.size).toBe(paths.length);
  let state = 1;
  for (let round = 0; round < 2000; round += 1) {
    const bytes = Array.from({ length: 1 + (round % 9) }, () => {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      // Half of them in what begins and goes on in UTF-8.
      return state & 0x100 ? 0x80 | ((state >> 12) & 0x7f) : [0x61, 0xe0, 0xed, 0xf0, 0xf4, 0x9f, 0xa0, 0x90][(state >> 12) & 7] ?? 0;
    });
    const back = [...pathBytes(pathText(Uint8Array.from(bytes)))];
    if (back.join() !== bytes.join()) expect(back).toEqual(bytes);
  }
});
