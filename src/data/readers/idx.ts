// Reads the IDX format of MNIST. A file starts with two zeros, the element type (8: unsigned bytes) and the number of sizes.
// Then come the sizes, 32 bits each, most significant byte first, and the elements in row-major order.
import { anything, checkOptions, type OptionChecks, text, wholeWithin } from '../../checks/options.ts';
import { DataError } from '../errors.ts';
import type { HostImages } from '../host.ts';
import { gunzip, isGzip } from './gunzip.ts';

const UNSIGNED_BYTES = 8;

// A gzip file may unpack to at most 128 MiB, which one storage buffer holds on any adapter, or to 64 times its own size.
const ANY_CONTENT = 128 << 20;
const BEST_PACKED = 64;

/** The bytes of a file, and its name for messages. */
export interface NamedBytes {
  file: string;
  bytes: Uint8Array;
}

const named: OptionChecks<NamedBytes> = {
  file: text,
  bytes: {
    wanted: 'a Uint8Array, as `await readFile(path)` gives',
    holds: (value) => value instanceof Uint8Array,
  },
};

/** The content of an IDX file of unsigned bytes. */
export interface IdxArray {
  shape: number[];
  data: Uint8Array;
}

/**
 * Reads an IDX file of unsigned bytes, plain or compressed with gzip. The data of a plain file is a view of it.
 *
 * @param ranks number of sizes, or those that may be: 3 for grey images, 4 for [n, channels, h, w], 1 for labels
 * @throws DataError if the file does not match the format
 */
export async function decodeIdx(source: NamedBytes, ranks: number | readonly number[]): Promise<IdxArray> {
  checkOptions<NamedBytes>('decodeIdx', source, named, ['file', 'bytes']);
  const { file, bytes } = source;
  const allowed = [ranks].flat();
  const largest = Math.max(ANY_CONTENT, BEST_PACKED * bytes.length);
  const content = isGzip(bytes)
    ? await gunzip(bytes, {
        file,
        head: 4 + 4 * Math.max(...allowed),
        length: (head) => lengthOf(shapeOf(head, allowed, file), largest, file),
      })
    : bytes;
  const refuse = (offset: number, expected: string, found: string): never => {
    throw new DataError({ file, offset, expected, found });
  };
  const least = 4 + 4 * Math.min(...allowed);
  if (content.length < least) refuse(content.length, `a header of ${least} bytes`, `the end after ${content.length}`);
  const shape = shapeOf(content, allowed, file);
  const start = 4 + 4 * shape.length;
  const wanted = product(shape);
  const data = content.subarray(start);
  if (data.length < wanted)
    refuse(content.length, `${wanted} bytes of data for sizes ${shape.join(' x ')}`, `the end after ${data.length}`);
  if (data.length > wanted)
    refuse(start + wanted, `the end of the file after ${wanted} bytes of data`, `${data.length - wanted} more`);
  return { shape, data };
}

/** The IDX files of a data set. */
export interface IdxImages {
  images: NamedBytes;
  labels?: NamedBytes | undefined;
  /** Number of classes; every label must be smaller. Default: 256. */
  numClasses?: number;
}

const parts: OptionChecks<IdxImages> = { images: anything, labels: anything, numClasses: wholeWithin(1, 256) };

/**
 * Reads images and their labels from IDX files of unsigned bytes.
 *
 * @throws DataError if a file does not match the format, if there are no images, or if the labels do not fit the images
 */
export async function readImages(files: IdxImages): Promise<HostImages> {
  checkOptions('readImages', files, parts, ['images']);
  const { images, labels, numClasses = 256 } = files;
  const { shape, data } = await decodeIdx(images, [3, 4]);
  const [height, width] = shape.slice(-2) as [number, number];
  const [count, channels = 1] = shape.slice(0, -2) as [number, number?];
  if (channels !== 1 && channels !== 3) {
    const expected = 'images of 1 channel (grey) or 3 (RGB)';
    throw new DataError({ file: images.file, offset: 8, expected, found: `sizes ${shape.join(' x ')}` });
  }
  const empty = shape.indexOf(0);
  if (empty >= 0) {
    const expected =
      empty === 0 ? 'one image at least' : empty === shape.length - 1 ? 'images with columns' : 'images with rows';
    throw new DataError({ file: images.file, offset: 4 + 4 * empty, expected, found: `sizes ${shape.join(' x ')}` });
  }
  const read: HostImages = { images: data, count, height, width, ...(channels === 3 && { channels }) };
  if (!labels) return read;
  const { file } = labels;
  const { data: values } = await decodeIdx(labels, 1);
  if (values.length !== count) {
    const expected = `${count} labels, one for each image in ${images.file}`;
    throw new DataError({ file, offset: 4, expected, found: `${values.length}` });
  }
  const outside = values.findIndex((label) => label >= numClasses);
  if (outside >= 0) {
    const expected = `a label from 0 to ${numClasses - 1}`;
    throw new DataError({ file, offset: 8 + outside, expected, found: `${values[outside]}, which is out of range` });
  }
  return { ...read, labels: values };
}

/** Returns the sizes in a header. */
function shapeOf(header: Uint8Array, ranks: readonly number[], file: string): number[] {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const magic = view.getUint32(0);
  const rank = magic - 256 * UNSIGNED_BYTES;
  if (!ranks.includes(rank)) {
    const names = ranks.map((n) => `${hex(256 * UNSIGNED_BYTES + n)} (unsigned bytes, ${n} size${n > 1 ? 's' : ''})`);
    throw new DataError({ file, offset: 0, expected: `the IDX magic number ${names.join(' or ')}`, found: hex(magic) });
  }
  if (header.length < 4 + 4 * rank) {
    const expected = `a header of ${4 + 4 * rank} bytes`;
    throw new DataError({ file, offset: header.length, expected, found: `the end after ${header.length}` });
  }
  return Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
}

/** Returns the length of a content with these sizes. Throws `DataError` if it is longer than `largest`. */
function lengthOf(shape: number[], largest: number, file: string): number {
  const length = 4 + 4 * shape.length + product(shape);
  if (length <= largest) return length;
  const found = `sizes ${shape.join(' x ')}, which are ${length}`;
  throw new DataError({ file, offset: 4, expected: `a content of at most ${largest} bytes`, found });
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const hex = (magic: number): string => `0x${magic.toString(16).padStart(8, '0')}`;
