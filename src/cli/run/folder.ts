import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint } from '../../train/checkpoint.ts';
import { UsageError } from '../errors.ts';
import { counted } from '../show/format.ts';
import type { RunSummary } from '../show/summary.ts';
import { makeFolder, removeLeftOvers, writeAtomically } from './atomic.ts';
import { type Found, keepCheckpoint, newestCheckpoint, removeCheckpoints } from './checkpoints.ts';
import { CONFIG, type RunConfig } from './config.ts';
import { isFull, otherThanFile, reasonOf, removeFile, WriteError } from './files.ts';
import { LOCK, lockFolder } from './lock.ts';
import { type Cut, MetricsFile, rowsOf } from './metricsFile.ts';

const METRICS = 'metrics.jsonl';
export const MODEL = 'model.safetensors';

const isFile = (path: string): boolean => existsSync(path) && otherThanFile(path) === undefined;

/** Returns what a run that has ended reported; undefined if it has not ended. */
export function finishedRun(path: string): RunSummary | undefined {
  const metrics = join(path, METRICS);
  if (!isFile(metrics) || !isFile(join(path, MODEL))) return undefined;
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
  /** The checkpoint that is whole and has come furthest. */
  private newest: string | undefined;

  private constructor(
    readonly path: string,
    private readonly unlock: () => void,
    private readonly warn: (message: string) => void,
  ) {}

  /** Makes the folder that a flag names, and looks at its files. @throws UsageError if a run cannot be kept there */
  static prepare(path: string, flag = '--out'): void {
    check(`${flag} ${path}: cannot be written to`, () => {
      makeFolder(path);
      const probe = join(path, `.${process.pid}.tmp`);
      closeSync(openSync(probe, 'w'));
      rmSync(probe);
    });
    for (const name of [LOCK, CONFIG, METRICS, MODEL]) {
      const other = otherThanFile(join(path, name));
      if (other)
        throw new UsageError(
          `${flag} ${path}: ${name} is ${other}, but a run keeps a file of that name there; move it away`,
        );
    }
  }

  /** Returns true if the folder holds a run. */
  static holdsRun(path: string): boolean {
    return isFile(join(path, CONFIG));
  }

  /** Takes a prepared folder for this process alone. @throws UsageError that names the process that has it */
  static take(path: string, warn: (message: string) => void): RunFolder {
    return check(`${path}: cannot be locked`, () => new RunFolder(path, lockFolder(path), warn));
  }

  /** Begins a run. Removes the files of an earlier one, which would pass for this one's. @throws UsageError | WriteError */
  begin(config: RunConfig): void {
    for (const name of [MODEL, METRICS]) removeFile(join(this.path, name));
    removeCheckpoints(this.path);
    removeLeftOvers(this.path);
    writeAtomically(join(this.path, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
    this.openMetrics();
  }

  /**
   * Resumes the run in the folder: from its newest checkpoint that is whole, or from the beginning if it has none.
   *
   * @throws UsageError if the folder's files cannot be opened or removed
   */
  async goOn({ watch }: RunConfig): Promise<Found | undefined> {
    removeLeftOvers(this.path);
    removeFile(join(this.path, MODEL));
    const found = await newestCheckpoint(this.path, (error) =>
      this.warn(`a checkpoint is damaged, and the one before it is used: ${error.message}`),
    );
    this.newest = found?.name;
    const iteration = found?.checkpoint.iteration ?? 0;
    const { iterations } = this.openMetrics({ iteration, evalFreq: watch.evalFreq });
    if (iterations < iteration)
      this.warn(
        `${join(this.path, METRICS)} has the figures of only ${iterations} of the ${counted(iteration, 'iteration')} before ${this.newest}; the others are lost`,
      );
    return found;
  }

  private openMetrics(cut?: Cut): MetricsFile {
    const path = join(this.path, METRICS);
    this.metrics = check(`${path} cannot be opened`, () => new MetricsFile(path, cut));
    return this.metrics;
  }

  /** Appends objects to `metrics.jsonl`, a line each; what a full disk does not take is tried again with the next ones. */
  append(...rows: readonly object[]): void {
    this.attempt(() => this.metrics!.append(rows));
  }

  /** Keeps a checkpoint and the figures up to it; a disk that does not take them ends no training. */
  async keepCheckpoint(checkpoint: Checkpoint): Promise<void> {
    this.failing = false;
    await this.attempt(async () => {
      // Figures first: a run that is resumed from a checkpoint has them up to it.
      this.withRoom(() => this.metrics!.sync());
      const write = (path: string, bytes: Uint8Array) => this.withRoom(() => writeAtomically(path, bytes));
      this.newest = await keepCheckpoint(this.path, checkpoint, write);
    });
  }

  /**
   * Keeps the model and the result; its bytes hold no time and no path, so equal runs give equal files.
   *
   * @throws WriteError that says how to continue
   */
  finish(model: Uint8Array, result: object): void {
    this.metrics!.add([result]);
    try {
      this.withRoom(() => writeAtomically(join(this.path, MODEL), model));
      this.withRoom(() => this.metrics!.sync());
    } catch (error) {
      if (!(error instanceof WriteError)) throw error;
      const from = this.newest
        ? `continues from ${this.newest}`
        : 'trains again from the beginning, for it has no checkpoint';
      error.message += `; once it can be, \`padagrad train --resume ${this.path}\` ${from}`;
      throw error;
    }
  }

  close(): void {
    this.metrics?.close();
    this.unlock();
  }

  /** Writes; if the disk is full, removes all checkpoints but the newest and writes again. */
  private withRoom(write: () => void): void {
    try {
      write();
    } catch (error) {
      const { cause } = error as Error;
      if (!isFull(cause) || removeCheckpoints(this.path, this.newest ? [this.newest] : []) === 0) throw error;
      write();
    }
  }

  /** Warns of what fails, once until the next checkpoint. */
  private attempt(write: () => void | Promise<void>): void | Promise<void> {
    const failed = (error: unknown): void => {
      const reason = error instanceof WriteError ? `${error.code}: ${error.reason}` : (error as Error).message;
      if (!this.failing) this.warn(`${this.path} cannot be written to (${reason}); training goes on and tries again`);
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

/** Runs calls of the file system. @throws UsageError with `what` and the reason if one of them fails */
function check<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new UsageError(`${what}: ${reasonOf(cause)}`, { cause });
  }
}
