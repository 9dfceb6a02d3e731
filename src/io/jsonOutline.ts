const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
// [ and {, ] and }: the same but for one bit.
const isOpen = (byte: number) => (byte & 0xdf) === 0x5b;
const isClose = (byte: number) => (byte & 0xdf) === 0x5d;

/**
 * How deep a JSON text nests and how many keys it names, equal ones included: what `JSON.parse` does not tell, found
 * without building anything, so that a hostile text is known before it is parsed.
 */
export function jsonOutline(bytes: Uint8Array): { depth: number; keys: number } {
  let open = 0;
  let depth = 0;
  let keys = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) i = endOfString(bytes, i);
    else if (byte === COLON) keys++;
    else if (isOpen(byte)) depth = Math.max(depth, ++open);
    else if (isClose(byte)) open--;
  }
  return { depth, keys };
}

function endOfString(bytes: Uint8Array, start: number): number {
  let i = start + 1;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return i;
}
