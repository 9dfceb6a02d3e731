const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const MARK = 0x5f;
// [ and {, ] and }: the same but for one bit.
const isOpen = (byte: number) => (byte & 0xdf) === 0x5b;
const isClose = (byte: number) => (byte & 0xdf) === 0x5d;

/** What `JSON.parse` does not tell of a text. */
export interface JsonOutline {
  depth: number;
  /** Where each key begins, at its quote, in the order of the text; equal keys too. */
  keys: readonly number[];
}

/** Finds the depth and the keys of a JSON text without building anything, so that a hostile text is known before it is parsed. */
export function jsonOutline(bytes: Uint8Array): JsonOutline {
  let open = 0;
  let depth = 0;
  let text = 0;
  const keys: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) {
      text = i;
      i = endOfString(bytes, i);
    } else if (byte === COLON) keys.push(text);
    else if (isOpen(byte)) depth = Math.max(depth, ++open);
    else if (isClose(byte)) open--;
  }
  return { depth, keys };
}

/**
 * Returns a valid JSON text with `_` before each key. Objects list keys like `7` first and in ascending order; with the mark
 * they keep the order of the text.
 */
export function markKeys(bytes: Uint8Array, { keys }: JsonOutline): Uint8Array {
  const marked = new Uint8Array(bytes.length + keys.length);
  let from = 0;
  for (const [i, quote] of keys.entries()) {
    marked.set(bytes.subarray(from, quote + 1), from + i);
    marked[quote + 1 + i] = MARK;
    from = quote + 1;
  }
  marked.set(bytes.subarray(from), from + keys.length);
  return marked;
}

function endOfString(bytes: Uint8Array, start: number): number {
  let i = start + 1;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return i;
}
