// `JSON.parse` tells neither how deep a text is nested nor whether a key occurs twice, and it moves numeric keys. A file from
// a stranger may do all three, so its header is scanned first.
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const MARK = 0x5f;
// [ and { differ in one bit, and so do ] and }.
const isOpen = (byte: number) => (byte & 0xdf) === 0x5b;
const isClose = (byte: number) => (byte & 0xdf) === 0x5d;

/** Facts about a JSON text that `JSON.parse` does not tell. */
export interface JsonOutline {
  depth: number;
  /** Offset of each key's opening quote, in the order of the text, equal keys included. */
  keys: readonly number[];
}

/** Finds the depth and the keys of a JSON text without building objects, so that a hostile text can be refused before parsing. */
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
 * Returns a valid JSON text with `_` before each key. JavaScript objects move keys such as `7` to the front, in ascending order;
 * with the mark, all keys keep the order of the text.
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
