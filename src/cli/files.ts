import { readFile, stat } from 'node:fs/promises';
import type { NamedBytes } from '../data/idx.ts';
import { UsageError } from './errors.ts';

/** A file's bytes. @throws UsageError that says in one line why they cannot be had */
export async function readNamed(file: string): Promise<NamedBytes> {
  try {
    const kind = await stat(file);
    if (kind.isDirectory()) throw new UsageError(`${file} is a folder, not a file`);
    if (!kind.isFile()) throw new UsageError(`${file} is a device or a pipe, not a file`);
    const { buffer, byteOffset, byteLength } = await readFile(file);
    return { file, bytes: new Uint8Array(buffer, byteOffset, byteLength) };
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UsageError(`no such file: ${file}`, { cause });
    throw new UsageError(`${file} cannot be read: ${message.replace(/^\w+: |, \w+( '.*')?$/g, '')}`, { cause });
  }
}
