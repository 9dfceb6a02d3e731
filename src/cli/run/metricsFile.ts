import { closeSync, constants, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { WriteError } from './files.ts';

/** Where a run's figures are cut when it goes on from a checkpoint. */
export interface Cut {
  /** Iterations that the checkpoint has done. */
  iteration: number;
  /** Iterations between two evaluations; 0 for none on the way. */
  evalFreq: number;
}

/**
 * Rows of figures, a line of JSON each. What a full disk does not take is kept and tried again with the next rows, so that
 * the file is always a beginning of what was appended.
 */
export class MetricsFile {
  /** Iterations before the cut whose figures the file has. */
  readonly iterations: number;
  private readonly file: number;
  private end: number;
  private waiting: Buffer = Buffer.alloc(0);

  /** Opens an empty file, or one that goes on from a cut. */
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

  /** Writes rows, and those that were not written before. @throws WriteError; the rows are kept, to be written later */
  append(rows: readonly object[]): void {
    this.add(rows);
    this.write(() => {});
  }

  /** Adds rows to what is to be written. */
  add(rows: readonly object[]): void {
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    this.waiting = Buffer.concat([this.waiting, Buffer.from(text)]);
  }

  /** Writes what was not written before, and waits until the disk has all of it. @throws WriteError */
  sync(): void {
    this.write(() => fsyncSync(this.file));
  }

  private write(then: () => void): void {
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

/** The rows of a file that are whole, in order. */
export function* rowsOf(bytes: Uint8Array): Generator<{ row: Record<string, unknown>; end: number }> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = 0; ; ) {
    const end = text.indexOf('\n', start) + 1;
    if (end === 0) return;
    try {
      yield { row: Object(JSON.parse(text.toString('utf8', start, end))), end };
    } catch {
      // Half a row, as a crash of the machine leaves it: nothing after it counts.
      return;
    }
    start = end;
  }
}

/** Measures the rows that a run had written when it wrote a checkpoint: their bytes, and the iterations among them. */
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
