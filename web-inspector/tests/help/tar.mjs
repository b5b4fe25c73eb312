// Writes tar archives, good ones and bad ones.

const BLOCK = 512;

/**
 * One member: header, content, padding. Each field can be said as it should not be: `size` beside a `content` of another
 * length, a `rawSize` of bytes as they stand in the header, names of any bytes.
 */
export function member({ name, content = Buffer.alloc(0), size, rawSize, type = "0", linkName = "", mode = 0o644, uid = 0, gid = 0, mtime = 1_767_225_600 }) {
  const bytes = Buffer.from(content);
  const raw = Buffer.isBuffer(name) ? name : Buffer.from(name);
  const long = [];
  if (raw.length > 100) long.push(extension("L", raw));
  if (Buffer.from(linkName).length > 100) long.push(extension("K", Buffer.from(linkName)));
  const header = Buffer.alloc(BLOCK);
  raw.copy(header, 0, 0, 100);
  octal(header, 100, 8, mode);
  octal(header, 108, 8, uid);
  octal(header, 116, 8, gid);
  octal(header, 124, 12, size ?? bytes.length);
  if (rawSize) rawSize.copy(header, 124);
  octal(header, 136, 12, mtime);
  header.write(type, 156);
  Buffer.from(linkName).copy(header, 157, 0, 100);
  header.write("ustar\x0000", 257, "latin1");
  header.fill(" ", 148, 156);
  octal(header, 148, 7, header.reduce((sum, byte) => sum + byte, 0));
  header[155] = 0x20;
  return Buffer.concat([...long, header, padded(bytes)]);
}

/** An archive of `members`, each as `member` takes it. */
export function tar(members) {
  return Buffer.concat([...members.map(member), Buffer.alloc(2 * BLOCK)]);
}

/** The GNU form of what does not fit into a header. */
function extension(type, bytes) {
  return member({ name: "././@LongLink", content: Buffer.concat([bytes, Buffer.alloc(1)]), type });
}

function padded(bytes) {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

function octal(header, at, width, value) {
  header.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
}
