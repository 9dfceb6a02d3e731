import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { removeFile, WriteError } from './files.ts';

const LEFT_OVER = /^\.(config\.json|model\.safetensors|checkpoint-\d+\.safetensors)\.\d+\.tmp$/;

/**
 * Makes a folder and those above it. Node's own recursive form tries for ever where a file system takes no folders (/proc).
 *
 * @throws Error if a link to nothing has that name, or what the file system says
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

/**
 * Writes a file whole or not at all: to a temporary file in the same folder, synced, then renamed.
 *
 * @throws WriteError
 */
export function writeAtomically(path: string, content: string | Uint8Array): void {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`);
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  try {
    const file = openSync(temporary, 'w');
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    // The error to report is the first, not that of tidying up after it.
    quietly(() => removeFile(temporary));
    throw new WriteError(path, bytes.length, cause);
  }
  syncFolder(folder);
}

/** Removes what processes that were killed while they wrote have left in a folder. */
export function removeLeftOvers(folder: string): void {
  for (const name of readdirSync(folder)) if (LEFT_OVER.test(name)) removeFile(join(folder, name));
}

/** A new name is on the disk once its folder is; where folders cannot be synced (Windows) there is nothing to be done. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
