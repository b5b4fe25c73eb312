// A layer of very many files: `big.mjs write BUILD FILES BLOB` makes one, `big.mjs plan BUILD BLOB` plans it against itself
// and prints what it took.
import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from "node:fs";

const [, , command, build, ...rest] = process.argv;
const core = await import(build);

if (command === "write") {
  const [count, path] = [Number(rest[0]), rest[1]];
  const writer = new core.Writer({ level: 1 });
  const file = openSync(path, "w");
  let len = 0;
  const take = (bytes) => void ((len += bytes.length), writeSync(file, bytes));
  let block = [];
  for (let index = 0; index < count; index += 1) {
    block.push(...member(index));
    if (block.length >= 4000) {
      take(writer.receive(Buffer.concat(block)));
      block = [];
    }
  }
  take(writer.receive(Buffer.concat([...block, Buffer.alloc(1024)])));
  const { last, annotations, diffId, plain } = writer.finish();
  if (plain) throw new Error(plain.message);
  take(last);
  closeSync(file);
  writeFileSync(`${path}.json`, JSON.stringify({ mediaType: "tar+zstd", size: len, annotations, diffId }));
} else {
  const layer = JSON.parse(readFileSync(`${rest[0]}.json`));
  const wasm = await core.default();
  const times = {};
  const timed = (name, work) => {
    const start = performance.now();
    const made = work();
    times[name] = Math.round(performance.now() - start);
    return made;
  };
  const fetch = core.look(layer).val;
  const { start, end } = fetch.remaining();
  const file = openSync(rest[0], "r");
  const piece = Buffer.alloc(1 << 20);
  for (let at = start; at < end; at += piece.length) {
    const len = readSync(file, piece, 0, Math.min(piece.length, end - at), at);
    fetch.receive(piece.subarray(0, len));
  }
  const basis = timed("open", () => fetch.finish().val);
  const opened = wasm.memory.buffer.byteLength;
  const plan = timed("plan", () => core.decide(basis, new core.Inventory()).val);
  const { files, requests } = plan.summary();
  const toc = basis.toc();
  const columns = timed("columns", () => toc.columns());
  const names = columns.nameEnds.length;
  plan.free();
  const inventory = new core.Inventory();
  timed("inventory", () => inventory.addToc(toc));
  const held = timed("again", () => core.decide(basis, inventory).val.summary().held);
  const memory = wasm.memory.buffer.byteLength;
  console.log(JSON.stringify({ entries: toc.len(), names, files, requests, held, tocBytes: end - start, opened, memory, times }));
}

/** A tar header and a content of its own, in a block. */
function* member(index) {
  const content = createHash("sha256").update(String(index)).digest();
  const header = Buffer.alloc(512);
  const name = `usr/share/package-${index % 700}/some/folder/file-${index}.txt`;
  header.write(name, 0);
  header.write("0000644\0" + "0000000\0" + "0000000\0" + "00000000040\0" + "14400000000\0" + "        0", 100, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  yield header;
  yield Buffer.concat([content, Buffer.alloc(480)]);
}
