import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UsageError } from './errors.ts';

export const CONFIG = 'config.json';
export const METRICS = 'metrics.jsonl';
export const MODEL = 'model.safetensors';

/** Writes a file whole or not at all: to a temporary file beside it, synced, then renamed over it. */
export function writeAtomically(path: string, content: string | Uint8Array): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = openSync(temporary, 'w');
    try {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Makes a folder and those above it. Node's own recursive form tries for ever where a file system takes no folders (/proc). */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

/** The folder of one run: what was asked, what was measured, and the model it led to. */
export class RunFolder {
  private readonly metrics: number;

  private constructor(readonly path: string) {
    this.metrics = openSync(join(path, METRICS), 'w');
  }

  /** Makes the folder, or throws while nothing was computed yet. */
  static prepare(path: string): void {
    try {
      makeFolder(path);
      const probe = join(path, `.${process.pid}.tmp`);
      closeSync(openSync(probe, 'w'));
      rmSync(probe);
    } catch (cause) {
      throw new UsageError(`--out ${path}: cannot be written to: ${(cause as Error).message}`, { cause });
    }
  }

  /** Begins a run in a prepared folder; what an earlier run left there goes, for it would pass for this one's. */
  static begin(path: string, config: object): RunFolder {
    for (const name of [MODEL, METRICS]) rmSync(join(path, name), { force: true });
    writeAtomically(join(path, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
    return new RunFolder(path);
  }

  /** True where the folder holds a run already. */
  static holdsRun(path: string): boolean {
    return existsSync(join(path, CONFIG));
  }

  /** Appends objects to `metrics.jsonl`, a line each. */
  append(...rows: readonly object[]): void {
    if (rows.length > 0) writeSync(this.metrics, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }

  /** Keeps the model; its bytes hold no time and no path, so equal runs give equal files. */
  saveModel(bytes: Uint8Array): void {
    writeAtomically(join(this.path, MODEL), bytes);
  }

  close(): void {
    closeSync(this.metrics);
  }
}
