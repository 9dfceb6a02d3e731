import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint } from '../train/checkpoint.ts';
import { makeFolder, removeLeftOvers, writeAtomically } from './atomic.ts';
import { type Found, keepCheckpoint, newestCheckpoint, removeCheckpoints } from './checkpoints.ts';
import { CONFIG, type RunConfig } from './config.ts';
import { UsageError } from './errors.ts';
import { LockedError, lockFolder } from './lock.ts';
import { MetricsFile, rowsOf } from './metricsFile.ts';
import type { RunSummary } from './summary.ts';

const METRICS = 'metrics.jsonl';
export const MODEL = 'model.safetensors';

/** What a run that came to its end reported; undefined while it has not. */
export function finishedRun(path: string): RunSummary | undefined {
  const metrics = join(path, METRICS);
  if (!existsSync(metrics) || !existsSync(join(path, MODEL))) return undefined;
  for (const { row } of rowsOf(readFileSync(metrics))) {
    if (row.event !== 'result' || row.aborted !== false) continue;
    const { event: _, ...summary } = row;
    return summary as unknown as RunSummary;
  }
  return undefined;
}

/** The folder of one run: what was asked, what was measured, where it can go on from, and the model it led to. */
export class RunFolder {
  private metrics: MetricsFile | undefined;
  private failing = false;

  private constructor(
    readonly path: string,
    private readonly unlock: () => void,
    private readonly warn: (message: string) => void,
  ) {}

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

  /** True where the folder holds a run already. */
  static holdsRun(path: string): boolean {
    return existsSync(join(path, CONFIG));
  }

  /** Takes a prepared folder for this process alone. @throws UsageError that names the process that has it */
  static take(path: string, warn: (message: string) => void): RunFolder {
    try {
      return new RunFolder(path, lockFolder(path), warn);
    } catch (cause) {
      if (cause instanceof LockedError) throw new UsageError(`${path}: ${cause.message}`, { cause });
      throw cause;
    }
  }

  /** Begins a run; what an earlier one left there goes, for it would pass for this one's. */
  begin(config: RunConfig): void {
    for (const name of [MODEL, METRICS]) rmSync(join(this.path, name), { force: true });
    removeCheckpoints(this.path);
    removeLeftOvers(this.path);
    writeAtomically(join(this.path, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
    this.metrics = new MetricsFile(join(this.path, METRICS));
  }

  /** Goes on with the run that is there: from its newest checkpoint that is whole, or from the beginning if it has none. */
  async goOn({ watch }: RunConfig): Promise<Found | undefined> {
    removeLeftOvers(this.path);
    rmSync(join(this.path, MODEL), { force: true });
    const found = await newestCheckpoint(this.path, (error) =>
      this.warn(`a checkpoint is damaged, and the one before it is used: ${error.message}`),
    );
    const cut = { iteration: found?.checkpoint.iteration ?? 0, evalFreq: watch.evalFreq };
    this.metrics = new MetricsFile(join(this.path, METRICS), cut);
    return found;
  }

  /** Appends objects to `metrics.jsonl`, a line each; what a full disk does not take is tried again with the next ones. */
  append(...rows: readonly object[]): void {
    this.attempt(() => this.metrics!.append(rows));
  }

  /** Keeps a checkpoint and the figures up to it; a disk that does not take them ends no training. */
  async keepCheckpoint(checkpoint: Checkpoint): Promise<void> {
    this.failing = false;
    await this.attempt(async () => {
      this.metrics!.sync();
      await keepCheckpoint(this.path, checkpoint);
    });
  }

  /** Keeps the model and the result; its bytes hold no time and no path, so equal runs give equal files. */
  finish(model: Uint8Array, result: object): void {
    writeAtomically(join(this.path, MODEL), model);
    this.metrics!.append([result]);
    this.metrics!.sync();
  }

  close(): void {
    this.metrics?.close();
    this.unlock();
  }

  /** Warns of what fails, once until the next checkpoint. */
  private attempt(write: () => void | Promise<void>): void | Promise<void> {
    const failed = (error: unknown): void => {
      if (!this.failing)
        this.warn(`${this.path} cannot be written to (${(error as Error).message}); training goes on and tries again`);
      this.failing = true;
    };
    try {
      const writing = write();
      return writing instanceof Promise ? writing.catch(failed) : undefined;
    } catch (error) {
      failed(error);
    }
  }
}
