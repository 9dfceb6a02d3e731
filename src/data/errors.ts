/** What is wrong in a file, and where. */
export interface DataFault {
  /** Name of the file. */
  file: string;
  /** Bytes from the start of the file, or of its content if the file is compressed. */
  offset: number;
  expected: string;
  found: string;
}

/**
 * Thrown when a file does not match its format. Gives the file, the byte offset, what was expected and what was found.
 */
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
