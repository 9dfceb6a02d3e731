import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../../data/errors.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../train/checkpoint.ts';
import { UsageError } from '../errors.ts';
import { readNamed, removeFile, writeAtomically } from './files.ts';

const NAME = /^checkpoint-(\d{1,15})\.safetensors$/;
// The newest one, and the one before it in case the newest is damaged.
const KEPT = 2;

/** A checkpoint and the name of its file. */
export interface Found {
  name: string;
  checkpoint: Checkpoint;
}

/** Lists the checkpoint files of a folder, newest first. */
const newestFirst = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => NAME.test(name))
    .sort((a, b) => iterationOf(b) - iterationOf(a));

const iterationOf = (name: string): number => Number(NAME.exec(name)![1]);

/**
 * Writes a checkpoint, then removes all but the last two. It also removes files of later iterations, which are damaged.
 *
 * @param write writes the file; default: `writeAtomically`
 * @returns the name of the file
 */
export async function keepCheckpoint(
  folder: string,
  checkpoint: Checkpoint,
  write: (path: string, bytes: Uint8Array) => void = writeAtomically,
): Promise<string> {
  const { iteration } = checkpoint;
  const name = `checkpoint-${iteration}.safetensors`;
  write(join(folder, name), await encodeCheckpoint(checkpoint));
  const older = newestFirst(folder).filter((other) => iterationOf(other) <= iteration);
  removeCheckpoints(folder, older.slice(0, KEPT));
  return name;
}

/** Removes all checkpoint files but `kept`, and returns their number. A folder with such a name is not a checkpoint and stays. */
export function removeCheckpoints(folder: string, kept: readonly string[] = []): number {
  const removed = newestFirst(folder)
    .filter((name) => !kept.includes(name))
    .map((name) => join(folder, name))
    .filter((path) => !lstatSync(path).isDirectory());
  for (const path of removed) removeFile(path);
  return removed.length;
}

/** Reads the newest checkpoint that is not damaged; undefined if there is none. Calls `onDamaged` for each damaged one. */
export async function newestCheckpoint(folder: string, onDamaged: (error: Error) => void): Promise<Found | undefined> {
  for (const name of newestFirst(folder)) {
    try {
      const { bytes } = await readNamed(join(folder, name));
      return { name, checkpoint: await decodeCheckpoint(bytes, name) };
    } catch (error) {
      if (!(error instanceof DataError || error instanceof UsageError)) throw error;
      onDamaged(error);
    }
  }
  return undefined;
}
