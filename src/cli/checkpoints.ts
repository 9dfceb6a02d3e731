import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../data/errors.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../train/checkpoint.ts';
import { writeAtomically } from './atomic.ts';
import { readNamed } from './files.ts';

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

/** Writes a checkpoint whole or not at all, then removes all but the last ones, and damaged ones of later iterations. */
export async function keepCheckpoint(folder: string, checkpoint: Checkpoint): Promise<void> {
  const { iteration } = checkpoint;
  writeAtomically(join(folder, `checkpoint-${iteration}.safetensors`), await encodeCheckpoint(checkpoint));
  const names = newestFirst(folder);
  const kept = names.filter((name) => iterationOf(name) <= iteration).slice(0, KEPT);
  removeCheckpoints(
    folder,
    names.filter((name) => !kept.includes(name)),
  );
}

/** Removes some checkpoints, or all. */
export function removeCheckpoints(folder: string, names: readonly string[] = newestFirst(folder)): void {
  for (const name of names) rmSync(join(folder, name), { force: true });
}

/** The newest checkpoint that is whole; undefined if there is none. `onDamaged` is told of those passed over. */
export async function newestCheckpoint(
  folder: string,
  onDamaged: (error: DataError) => void,
): Promise<Found | undefined> {
  for (const name of newestFirst(folder)) {
    const { bytes } = await readNamed(join(folder, name));
    try {
      return { name, checkpoint: await decodeCheckpoint(bytes, name) };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      onDamaged(error);
    }
  }
  return undefined;
}
