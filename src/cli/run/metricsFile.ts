import { closeSync, constants, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { WriteError } from './files.ts';

/** A row of metrics.jsonl. */
export type Row = Record<string, unknown>;

/** The place where metrics.jsonl is cut when a run resumes from a checkpoint. */
export interface Cut {
  /** Iterations done at the checkpoint. */
  iteration: number;
  /** Iterations between two evaluations; 0 for none before the end. */
  evalFreq: number;
}

/**
 * The file metrics.jsonl: a row of JSON per line. Rows that a full disk does not take are kept and written with the next ones, so
 * no row is ever missing between two others.
 */
export class MetricsFile {
  /** Number of iterations before the cut that the file has rows of. */
  readonly iterations: number;
  private readonly file: number;
  private end: number;
  private waiting: Buffer = Buffer.alloc(0);

  /** Opens an empty file, or an existing one that continues at the cut. */
  constructor(
    private readonly path: string,
    cut?: Cut,
  ) {
    this.file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o666);
    const kept = cut ? rowsUpTo(readFileSync(path), cut) : { iterations: 0, length: 0 };
    this.iterations = kept.iterations;
    this.end = kept.length;
    ftruncateSync(this.file, this.end);
  }

  /** Adds rows, to be written by the next `write` or `sync`. */
  add(rows: readonly object[]): void {
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    this.waiting = Buffer.concat([this.waiting, Buffer.from(text)]);
  }

  /** Writes the rows that wait. @throws WriteError; then they still wait */
  write(): void {
    this.attempt(() => {});
  }

  /** Writes the rows that wait, and returns once all rows are on the disk. @throws WriteError */
  sync(): void {
    this.attempt(() => fsyncSync(this.file));
  }

  private attempt(then: () => void): void {
    try {
      while (this.waiting.length > 0) {
        const written = writeSync(this.file, this.waiting, 0, this.waiting.length, this.end);
        this.end += written;
        this.waiting = this.waiting.subarray(written);
      }
      then();
    } catch (cause) {
      throw new WriteError(this.path, this.waiting.length, cause);
    }
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Yields the complete rows of a file, in order. */
export function* rowsOf(bytes: Uint8Array): Generator<{ row: Row; end: number }> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = 0; ; ) {
    const end = text.indexOf('\n', start) + 1;
    if (end === 0) return;
    try {
      yield { row: Object(JSON.parse(text.toString('utf8', start, end))), end };
    } catch {
      // A crash of the machine may leave an incomplete row. Nothing after it counts.
      return;
    }
    start = end;
  }
}

/** Returns how many bytes a run had written before it wrote a checkpoint, and how many iterations they hold. */
function rowsUpTo(bytes: Uint8Array, { iteration, evalFreq }: Cut): { iterations: number; length: number } {
  let iterations = 0;
  let length = 0;
  for (const { row, end } of rowsOf(bytes)) {
    const at = Number(row.iteration);
    const before = row.event === 'iteration' ? at < iteration : at <= iteration;
    // An interrupted run evaluates once more, after its last checkpoint.
    const extra = row.event === 'evaluation' && !(evalFreq > 0 && at % evalFreq === 0);
    if (!before || extra || row.event === 'result') break;
    length = end;
    if (row.event === 'iteration') iterations++;
  }
  return { iterations, length };
}
