// Keeps a text inside a PNG file, so that a test can compare a picture of a terminal with the run that it shows.

// An international text chunk: keyword, no compression, no language, no translated keyword, then the text in UTF-8.
const TYPE = 'iTXt';
const HEAD = Buffer.from('terminal\0\0\0\0\0', 'latin1');
const SIGNATURE_BYTES = 8;

/** Returns a PNG file with a text, before its last chunk. */
export function withText(png, text) {
  const data = Buffer.concat([Buffer.from(TYPE, 'latin1'), HEAD, Buffer.from(text)]);
  const chunk = Buffer.alloc(data.length + 8);
  chunk.writeUInt32BE(data.length - TYPE.length, 0);
  data.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(data), data.length + 4);
  const end = png.length - 12;
  return Buffer.concat([png.subarray(0, end), chunk, png.subarray(end)]);
}

/** Returns the text that `withText` put into a PNG file; undefined if there is none. */
export function textOf(png) {
  for (let at = SIGNATURE_BYTES; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const data = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    if (png.toString('latin1', at + 4, at + 8) === TYPE && data.subarray(0, HEAD.length).equals(HEAD))
      return data.subarray(HEAD.length).toString();
  }
  return undefined;
}

/** The checksum of PNG chunks. Node has it as zlib.crc32 only since version 22. */
function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}
