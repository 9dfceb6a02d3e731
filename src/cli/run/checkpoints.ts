import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../../data/errors.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../train/checkpoint.ts';
import { UsageError } from '../errors.ts';
import { writeAtomically } from './atomic.ts';
import { readNamed, removeFile } from './files.ts';

const NAME = /^checkpoint-(\d{1,15})\.safetensors$/;
// One to go on from, and one more in case that one is damaged.
const KEPT = 2;

/** A checkpoint that was read from a file. */
export interface Found {
  name: string;
  checkpoint: Checkpoint;
}

/** Names of a folder's checkpoints, the newest first. */
const newestFirst = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => NAME.test(name))
    .sort((a, b) => iterationOf(b) - iterationOf(a));

const iterationOf = (name: string): number => Number(NAME.exec(name)![1]);

/**
 * Writes a checkpoint whole or not at all, then removes all but the last ones, and damaged ones of later iterations.
 *
 * @param write writes the file; default: `writeAtomically`
 * @returns its name
 */
export async function keepCheckpoint(
  folder: string,
  checkpoint: Checkpoint,
  write: (path: string, bytes: Uint8Array) => void = writeAtomically,
): Promise<string> {
  const { iteration } = checkpoint;
  const name = `checkpoint-${iteration}.safetensors`;
  write(join(folder, name), await encodeCheckpoint(checkpoint));
  removeCheckpoints(
    folder,
    newestFirst(folder)
      .filter((other) => iterationOf(other) <= iteration)
      .slice(0, KEPT),
  );
  return name;
}

/** Removes all checkpoints but some. Returns how many were removed: a folder of such a name stays, for a run makes none. */
export function removeCheckpoints(folder: string, kept: readonly string[] = []): number {
  const removed = newestFirst(folder)
    .filter((name) => !kept.includes(name))
    .map((name) => join(folder, name))
    .filter((path) => !lstatSync(path).isDirectory());
  for (const path of removed) removeFile(path);
  return removed.length;
}

/** Returns the newest checkpoint that is whole; undefined if there is none. Calls `onDamaged` for each that it passes over. */
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
