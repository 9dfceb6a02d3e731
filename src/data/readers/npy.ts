// Reads NumPy's .npy files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): a magic number, a version, the
// length of the header, a header that is a Python dictionary {descr, fortran_order, shape}, and the elements.

import { DataError } from '../errors.ts';
import type { HostData } from '../host.ts';
import type { NamedBytes } from './idx.ts';

const MAGIC = '\u0093NUMPY';

// Readers by the header's `descr`. All are little-endian; those of one byte have no order.
const ELEMENTS = {
  '|u1': Uint8Array,
  '|i1': Int8Array,
  '|b1': Uint8Array,
  '<u2': Uint16Array,
  '<i2': Int16Array,
  '<u4': Uint32Array,
  '<i4': Int32Array,
  '<u8': BigUint64Array,
  '<i8': BigInt64Array,
  '<f4': Float32Array,
  '<f8': Float64Array,
};

/** The content of a .npy file, in row-major order. */
export interface NpyArray {
  shape: number[];
  data: ArrayLike<number> | ArrayLike<bigint>;
}

/**
 * Reads a .npy file of integers or floats.
 *
 * @throws DataError if the file does not match the format, is in column-major order, or has another element type
 */
export function decodeNpy({ file, bytes }: NamedBytes): NpyArray {
  const refuse = (offset: number, expected: string, found: string): never => {
    throw new DataError({ file, offset, expected, found });
  };
  const latin = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (latin(0, MAGIC.length) !== MAGIC) refuse(0, "NumPy's magic number \\x93NUMPY", JSON.stringify(latin(0, 6)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  const start = version === 1 ? 10 : 12;
  if (!(version === 1 || version === 2 || version === 3)) refuse(6, 'format version 1, 2 or 3', `${version}`);
  if (bytes.length < start) refuse(bytes.length, `a header of ${start} bytes`, `the end after ${bytes.length}`);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const begin = start + length;
  if (begin > Math.min(bytes.length, start + MOST_HEADER))
    refuse(8, `a header of at most ${Math.min(bytes.length - start, MOST_HEADER)} bytes`, `one of ${length}`);
  const header = latin(start, begin);
  const descr = /'descr': '([^']*)'/.exec(header)?.[1] ?? '';
  const order = /'fortran_order': (True|False)/.exec(header)?.[1];
  const sizes = /'shape': \(([\d, ]*)\)/.exec(header)?.[1];
  if (order === undefined || sizes === undefined)
    refuse(start, "a header such as {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)}", show(header));
  if (order === 'True')
    refuse(start, 'elements in row-major order', 'column-major order; save np.ascontiguousarray(x) instead');
  if (!Object.hasOwn(ELEMENTS, descr))
    refuse(
      start,
      `one of the element types ${Object.keys(ELEMENTS).join(' ')}`,
      `'${descr}'; convert it with x.astype`,
    );
  const Elements = ELEMENTS[descr as keyof typeof ELEMENTS];
  const shape = sizes!
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  const wanted = shape.reduce((a, b) => a * b, 1) * Elements.BYTES_PER_ELEMENT;
  if (bytes.length - begin !== wanted)
    refuse(begin, `${wanted} bytes of data for the shape (${shape.join(', ')})`, `${bytes.length - begin}`);
  // A copy is aligned. `bytes.slice` would copy nothing of a Buffer.
  return { shape, data: new Elements(new Uint8Array(bytes.subarray(begin)).buffer) };
}

// Far more than any dictionary of three entries.
const MOST_HEADER = 1 << 16;

const show = (header: string): string => JSON.stringify(header.slice(0, 80));

/** The .npy files of a data set. */
export interface NpyFiles {
  /** Images u8 [n, h, w] or [n, c, h, w], or features f32 or f64 [n, d]. */
  data: NamedBytes;
  /** Integers [n]. */
  labels?: NamedBytes | undefined;
}

/**
 * Reads images or features, and their labels, from .npy files.
 *
 * @throws DataError if a file does not match the format, or if the labels do not fit
 */
export function readNpy(files: NpyFiles): HostData {
  const { file } = files.data;
  const { shape, data } = decodeNpy(files.data);
  const labels = files.labels && labelsIn(decodeNpy(files.labels), shape[0] ?? 0, files.labels.file);
  const refuse = (found: string): never => {
    const expected = 'images u8 [n, h, w] or [n, 1 or 3, h, w], or features f32 or f64 [n, d]';
    throw new DataError({ file, offset: 0, expected, found });
  };
  const [count, ...rest] = shape;
  if (shape.includes(0)) refuse(`an empty array (${shape.join(', ')})`);
  if (rest.length === 1 && (data instanceof Float32Array || data instanceof Float64Array)) {
    const features = Float32Array.from(data);
    const bad = features.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) refuse(`${features[bad]} in row ${Math.floor(bad / rest[0]!)}`);
    return { features, count: count!, dim: rest[0]!, ...(labels && { labels }) };
  }
  const [channels, height, width] = rest.length === 2 ? [1, ...rest] : rest;
  if (!(data instanceof Uint8Array) || !(rest.length === 2 || rest.length === 3) || !(channels === 1 || channels === 3))
    return refuse(`${data.constructor.name} [${shape.join(', ')}]`);
  return { images: data, count: count!, channels, height: height!, width: width!, ...(labels && { labels }) };
}

/** Converts labels of any integer type. @throws DataError unless there is one for each example */
export function labelsIn({ shape, data }: NpyArray, count: number, file: string): Uint32Array {
  const refuse = (expected: string, found: string): never => {
    throw new DataError({ file, offset: 0, expected, found });
  };
  if (shape.length !== 1 || shape[0] !== count)
    refuse(`${count} labels, one for each example`, `an array of shape (${shape.join(', ')})`);
  const values = Array.from(data as ArrayLike<number | bigint>, Number);
  const wrong = values.findIndex((value) => !(Number.isInteger(value) && value >= 0 && value < 2 ** 32));
  if (wrong >= 0) refuse('labels that are whole numbers >= 0', `${values[wrong]} at place ${wrong}`);
  return Uint32Array.from(values);
}
