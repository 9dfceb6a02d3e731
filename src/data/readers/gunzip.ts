import { DataError } from '../errors.ts';

/** Returns whether the bytes start as a gzip file does. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

export interface GunzipOptions {
  /** Name of the file, for messages. */
  file: string;
  /** Bytes of the content that tell its whole length. */
  head: number;
  /** Returns the length of the whole content from its first `head` bytes. Throws if they are wrong. */
  length: (head: Uint8Array) => number;
}

/**
 * Unpacks a gzip file whose content starts with a head that tells the length of the content. It takes no more memory than this
 * length, whatever the file would unpack to. If the content ends early, the result is shorter.
 *
 * @throws DataError if the file is no gzip file of one member, is cut short, or holds more than its head tells
 */
export async function gunzip(bytes: Uint8Array, { file, head, length }: GunzipOptions): Promise<Uint8Array> {
  const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const reader = packed.pipeThrough(new DecompressionStream('gzip')).getReader();
  let content = new Uint8Array(head);
  let filled = 0;
  const fill = (chunk: Uint8Array): void => {
    content.set(chunk, filled);
    filled += chunk.length;
  };
  const refuse = (expected: string, found: string, cause?: unknown): never => {
    throw new DataError({ file, offset: filled, expected, found }, { cause });
  };
  const next = async (): Promise<Uint8Array | undefined> => {
    try {
      return (await reader.read()).value;
    } catch (cause) {
      return refuse('a whole gzip file', (cause as Error).message || 'a damaged one', cause);
    }
  };
  try {
    for (let chunk = await next(); chunk; chunk = await next()) {
      const first = chunk.subarray(0, Math.max(0, head - filled));
      fill(first);
      if (filled < head) continue;
      if (first.length > 0) {
        const known = content;
        content = new Uint8Array(length(known));
        content.set(known);
      }
      const rest = chunk.subarray(first.length);
      if (rest.length > content.length - filled) {
        filled = content.length;
        refuse(`the end of the content after ${filled} bytes`, 'more');
      }
      fill(rest);
    }
  } finally {
    // A stream that failed throws the same error again here.
    await reader.cancel().catch(() => {});
  }
  // The last four bytes of a gzip file are the length of its content. Node's stream ignores bytes after the end.
  const stated = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4).getUint32(0, true);
  if (stated !== filled % 2 ** 32)
    refuse(`one gzip member, of ${filled} bytes`, `${stated} bytes by the end of the file`);
  return content.subarray(0, filled);
}
