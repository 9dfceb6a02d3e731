import { DataError } from '../errors.ts';
import type { NamedBytes } from './idx.ts';

/**
 * Decodes a text file in UTF-8.
 *
 * @param what the kind of file, for the message
 * @throws DataError with the place of the first byte that is not UTF-8
 */
export function textOf({ file, bytes }: NamedBytes, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    // Replacement characters differ from what they replace.
    const repaired = new TextEncoder().encode(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
    const offset = Math.max(
      0,
      bytes.findIndex((byte, i) => byte !== repaired[i]),
    );
    const found = `the byte 0x${(bytes[offset] ?? 0).toString(16).padStart(2, '0')}; save the file as UTF-8`;
    throw new DataError({ file, offset, expected: `${what} in UTF-8`, found }, { cause });
  }
}
