// CRC-64/ISO, which tar-splits hold of each file.

const POLYNOMIAL = 0xd800000000000000n;
const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ POLYNOMIAL : crc >> 1n;
  return crc;
});
const ONES = 0xffffffffffffffffn;

/** Returns it in base64, big end first, as a tar-split has it. */
export function crc64(bytes) {
  let crc = ONES;
  for (const byte of bytes) crc = TABLE[Number(crc & 0xffn) ^ byte] ^ (crc >> 8n);
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(crc ^ ONES);
  return out.toString("base64");
}
