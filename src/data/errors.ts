/** The expected and the actual content of a file at an offset. */
export interface DataFault {
  /** Names the file. */
  file: string;
  /** In bytes from the start of the file; for a compressed file, from the start of its content. */
  offset: number;
  expected: string;
  found: string;
}

/** A file does not hold what its format says: which file, where, what was expected there and what was found. */
export class DataError extends Error {
  override name = 'DataError';
  readonly file: string;
  readonly offset: number;
  readonly expected: string;
  readonly found: string;

  constructor({ file, offset, expected, found }: DataFault, options?: ErrorOptions) {
    super(`${file}: at byte ${offset} expected ${expected} but found ${found}`, options);
    this.file = file;
    this.offset = offset;
    this.expected = expected;
    this.found = found;
  }
}
