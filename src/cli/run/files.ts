// Files that survive a crash: each is written in full under a temporary name and then renamed. Errors name the file and the reason.
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { NamedBytes } from '../../data/readers/idx.ts';
import { UsageError } from '../errors.ts';
import { count } from '../show/format.ts';

const LEFT_OVER = /^\.(config\.json|model\.safetensors|report\.html|checkpoint-\d+\.safetensors)\.\d+\.tmp$/;

/** Thrown if a file cannot be written. The message has the file and the reason; on a full disk also the size. */
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

/** Reads a file. @throws UsageError with the reason, in one line */
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

/**
 * Writes a file completely or not at all: to a temporary file in the same folder, which is synced and then renamed. A link stays, and
 * the file that it leads to is replaced. A device or a pipe is written to.
 *
 * @throws WriteError
 */
export function writeAtomically(path: string, content: string | Uint8Array): void {
  const place = quietly(() => realpathSync(path)) ?? path;
  const folder = dirname(place);
  const temporary = join(folder, `.${basename(place)}.${process.pid}.tmp`);
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  try {
    // Renaming a file to the name of a device would remove the device.
    if (otherThanFile(place) === 'a device or a pipe') {
      writeFileSync(place, bytes);
      return;
    }
    const file = openSync(temporary, 'w');
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, place);
  } catch (cause) {
    // The first error is reported, not one of the removal.
    quietly(() => removeFile(temporary));
    throw new WriteError(path, bytes.length, cause);
  }
  syncFolder(folder);
}

/** Syncs a folder, which puts new names in it on the disk. Windows cannot sync a folder. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Removes the temporary files of processes that were killed while they wrote. */
export function removeLeftOvers(folder: string): void {
  for (const name of readdirSync(folder)) if (LEFT_OVER.test(name)) removeFile(join(folder, name));
}

/**
 * Makes a folder and those above it. `mkdirSync` with `recursive` never returns on a file system without folders (/proc).
 *
 * @throws Error of the file system, or one that names a broken link
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (cause) {
    // Another process may have made it in the meantime.
    if (existsSync(path)) return;
    const target = quietly(() => readlinkSync(path));
    if (target === undefined) throw cause;
    throw new Error(`${path} is a link to ${target}, which does not exist; make that folder or remove the link`, {
      cause,
    });
  }
}

/** Returns what is at a path other than a file, such as `a folder`. Returns undefined for a file or if nothing is there. */
export function otherThanFile(path: string): string | undefined {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (!entry) return undefined;
  const kind = quietly(() => statSync(path));
  if (!kind) return entry.isSymbolicLink() ? 'a broken link' : undefined;
  if (kind.isFile()) return undefined;
  return kind.isDirectory() ? 'a folder' : 'a device or a pipe';
}

/** Removes a file, or a link to one, if it exists. @throws UsageError with the reason */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw new UsageError(`${path} cannot be removed: ${reasonOf(cause)}`, { cause });
  }
}

/** Returns the code of an error of the file system, such as `ENOENT`. */
export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Returns the reason of an error of the file system, without its code and arguments: `permission denied`. */
export const reasonOf = (error: unknown): string => (error as Error).message.replace(/^E\w+: |, \w+( '.*')?$/g, '');

/** Returns true if the disk or the user's quota is full. */
export const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(codeOf(error)!);

function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
