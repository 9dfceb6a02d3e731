import { lstatSync, statSync, unlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { NamedBytes } from '../../data/readers/idx.ts';
import { UsageError } from '../errors.ts';
import { count } from '../show/format.ts';

/** Returns a file's bytes. @throws UsageError that says in one line why the file cannot be read */
export async function readNamed(file: string): Promise<NamedBytes> {
  try {
    const other = otherThanFile(file);
    if (other) throw new UsageError(`${file} is ${other}, not a file`);
    const { buffer, byteOffset, byteLength } = await readFile(file);
    return { file, bytes: new Uint8Array(buffer, byteOffset, byteLength) };
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    if (codeOf(cause) === 'ENOENT') throw new UsageError(`no such file: ${file}`, { cause });
    throw new UsageError(`${file} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

/** Returns what stands where a file should, such as `a folder`; undefined for a file and where nothing is. */
export function otherThanFile(path: string): string | undefined {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (!entry) return undefined;
  try {
    const kind = statSync(path);
    if (kind.isFile()) return undefined;
    return kind.isDirectory() ? 'a folder' : 'a device or a pipe';
  } catch {
    return entry.isSymbolicLink() ? 'a link to nothing' : undefined;
  }
}

/** Removes a file, or a link to one, if it is there. @throws UsageError that says why it cannot be removed */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw new UsageError(`${path} cannot be removed: ${reasonOf(cause)}`, { cause });
  }
}

/** Returns the code of a failed call of the file system. */
export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Returns why a call of the file system failed, without its code and its arguments: `permission denied`. */
export const reasonOf = (error: unknown): string => (error as Error).message.replace(/^E\w+: |, \w+( '.*')?$/g, '');

/** Returns true if the disk, or this user's part of it, has no room. */
export const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(codeOf(error)!);

/** A file could not be written: says which, why, and how many bytes a full disk has no room for. */
export class WriteError extends Error {
  override name = 'WriteError';
  readonly code: string | undefined;
  /** The second half of the message. */
  readonly reason: string;

  constructor(path: string, bytes: number, cause: unknown) {
    const size = isFull(cause) ? `, and ${basename(path)} takes ${count(bytes)} bytes` : '';
    const reason = `${reasonOf(cause)}${size}`;
    super(`${path} cannot be written: ${reason}`, { cause });
    this.code = codeOf(cause);
    this.reason = reason;
  }
}
