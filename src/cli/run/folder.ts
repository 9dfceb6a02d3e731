// The folder of a run (`--out`): what is in it, and in which order its files are written, so that a crash or a full disk at any moment
// leaves a run that can be resumed.
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint } from '../../train/checkpoint.ts';
import { UsageError } from '../errors.ts';
import { counted } from '../show/format.ts';
import type { RunSummary } from '../show/summary.ts';
import { type Found, keepCheckpoint, newestCheckpoint, removeCheckpoints } from './checkpoints.ts';
import { CONFIG, type RunConfig } from './config.ts';
import {
  isFull,
  makeFolder,
  otherThanFile,
  reasonOf,
  removeFile,
  removeLeftOvers,
  WriteError,
  writeAtomically,
} from './files.ts';
import { LOCK, lockFolder } from './lock.ts';
import { type Cut, MetricsFile, type Row, rowsOf } from './metricsFile.ts';

const METRICS = 'metrics.jsonl';
export const MODEL = 'model.safetensors';
export const REPORT = 'report.html';

const isFile = (path: string): boolean => existsSync(path) && otherThanFile(path) === undefined;

/** Reads the rows of a run's metrics.jsonl; none if there is no such file. */
export function readRows(path: string): Row[] {
  const metrics = join(path, METRICS);
  return isFile(metrics) ? [...rowsOf(readFileSync(metrics))].map(({ row }) => row) : [];
}

/** Reads the result of a finished run; undefined if the run is not finished. */
export function finishedRun(path: string): RunSummary | undefined {
  if (!isFile(join(path, MODEL))) return undefined;
  for (const row of readRows(path)) {
    if (row.event !== 'result' || row.aborted !== false) continue;
    const { event: _, ...summary } = row;
    return summary as unknown as RunSummary;
  }
  return undefined;
}

/**
 * The folder of one run: config.json, metrics.jsonl, the last two checkpoints, model.safetensors and report.html. It stays usable whenever the
 * process is killed or the disk is full: every file but metrics.jsonl is replaced in one step.
 */
export class RunFolder {
  private metrics: MetricsFile | undefined;
  /** True if a warning of the current failure was given. */
  private failing = false;
  /** The newest checkpoint that is not damaged. */
  private newest: string | undefined;

  private constructor(
    readonly path: string,
    private readonly unlock: () => void,
    private readonly warn: (message: string) => void,
  ) {}

  /** Makes the folder that a flag names, and checks its files. @throws UsageError if a run cannot be saved there */
  static prepare(path: string, flag = '--out'): void {
    check(`${flag} ${path}: cannot be written to`, () => {
      makeFolder(path);
      const probe = join(path, `.${process.pid}.tmp`);
      closeSync(openSync(probe, 'w'));
      rmSync(probe);
    });
    for (const name of [LOCK, CONFIG, METRICS, MODEL, REPORT]) {
      const other = otherThanFile(join(path, name));
      if (other)
        throw new UsageError(
          `${flag} ${path}: ${name} is ${other}, but a run saves a file with that name; move it away`,
        );
    }
  }

  /** Returns true if the folder holds a run. */
  static holdsRun(path: string): boolean {
    return isFile(join(path, CONFIG));
  }

  /** Locks a prepared folder for this process. @throws UsageError that names the process that has locked it */
  static lock(path: string, warn: (message: string) => void): RunFolder {
    return check(`${path}: cannot be locked`, () => new RunFolder(path, lockFolder(path), warn));
  }

  /** Starts a new run, and removes the files of an earlier one. @throws UsageError | WriteError */
  begin(config: RunConfig): void {
    for (const name of [MODEL, METRICS, REPORT]) removeFile(join(this.path, name));
    removeCheckpoints(this.path);
    removeLeftOvers(this.path);
    writeAtomically(join(this.path, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
    this.openMetrics();
  }

  /**
   * Resumes the run in the folder. Returns its newest checkpoint that is not damaged; undefined if there is none.
   *
   * @throws UsageError if a file cannot be opened or removed
   */
  async resume({ watch }: RunConfig): Promise<Found | undefined> {
    removeLeftOvers(this.path);
    for (const name of [MODEL, REPORT]) removeFile(join(this.path, name));
    const found = await newestCheckpoint(this.path, (error) =>
      this.warn(`a checkpoint is damaged, using the previous one: ${error.message}`),
    );
    this.newest = found?.name;
    const iteration = found?.checkpoint.iteration ?? 0;
    const { iterations } = this.openMetrics({ iteration, evalFreq: watch.evalFreq });
    if (iterations < iteration)
      this.warn(
        `${join(this.path, METRICS)} has rows for only ${iterations} of the ${counted(iteration, 'iteration')} before ${this.newest}; the other rows are lost`,
      );
    return found;
  }

  private openMetrics(cut?: Cut): MetricsFile {
    const path = join(this.path, METRICS);
    this.metrics = check(`${path} cannot be opened`, () => new MetricsFile(path, cut));
    return this.metrics;
  }

  /** Appends rows to metrics.jsonl. Rows that a full disk does not take are written with the next ones. */
  append(...rows: readonly object[]): void {
    this.metrics!.add(rows);
    this.attempt(() => this.metrics!.write());
  }

  /** Saves a checkpoint and the rows before it. If the disk is full, warns, and training continues. */
  async keepCheckpoint(checkpoint: Checkpoint): Promise<void> {
    this.failing = false;
    await this.attempt(async () => {
      // Rows first: a resumed run needs all rows before its checkpoint.
      this.withRoom(() => this.metrics!.sync());
      const write = (path: string, bytes: Uint8Array) => this.withRoom(() => writeAtomically(path, bytes));
      this.newest = await keepCheckpoint(this.path, checkpoint, write);
    });
  }

  /**
   * Saves the model and the result. The model file contains no times or paths, so equal runs give equal files.
   *
   * @throws WriteError with the command that continues
   */
  finish(model: Uint8Array, result: object): void {
    this.metrics!.add([result]);
    try {
      this.withRoom(() => writeAtomically(join(this.path, MODEL), model));
      this.withRoom(() => this.metrics!.sync());
    } catch (error) {
      if (!(error instanceof WriteError)) throw error;
      const from = this.newest
        ? `continue from ${this.newest}`
        : 'train again from the beginning (there is no checkpoint)';
      error.message += `; free some space, then run \`padagrad train --resume ${this.path}\` to ${from}`;
      throw error;
    }
  }

  /**
   * Writes report.html from the rows of metrics.jsonl, after {@link finish}. The run is complete without it, so a failure is only a
   * warning.
   */
  async report(make: (rows: readonly Row[]) => Promise<string>): Promise<void> {
    const path = join(this.path, REPORT);
    try {
      const html = await make(readRows(this.path));
      this.withRoom(() => writeAtomically(path, html));
    } catch (error) {
      this.warn(`the run is saved, but without its report: ${(error as Error).message}`);
    }
  }

  close(): void {
    this.metrics?.close();
    this.unlock();
  }

  /** Calls `write`. If the disk is full, removes all checkpoints but the newest and calls it again. */
  private withRoom(write: () => void): void {
    try {
      write();
    } catch (error) {
      const { cause } = error as Error;
      if (!isFull(cause) || removeCheckpoints(this.path, this.newest ? [this.newest] : []) === 0) throw error;
      write();
    }
  }

  /** Calls `write`, and warns if it fails, once until the next checkpoint. */
  private attempt(write: () => void | Promise<void>): void | Promise<void> {
    const failed = (error: unknown): void => {
      const reason = error instanceof WriteError ? `${error.code}: ${error.reason}` : (error as Error).message;
      if (!this.failing) this.warn(`cannot write to ${this.path} (${reason}); training continues and will retry`);
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

/** Calls functions of the file system. @throws UsageError with `what` and the reason if one fails */
function check<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new UsageError(`${what}: ${reasonOf(cause)}`, { cause });
  }
}
