import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DataError } from '../../../src/data/errors.ts';
import { decodeIdx, type IdxImages, readImages } from '../../../src/data/readers/idx.ts';
import { seeded } from '../../harness.ts';

// IDX files, honest and not. Whatever comes, it is read as what it is, or refused with the place and the reason.

const MIB = 2 ** 20;

/** A file with any sizes over any data. */
function idx(shape: readonly number[], data: ArrayLike<number> = [], magic = 0x0800 + shape.length): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  for (const [i, size] of shape.entries()) view.setUint32(4 + 4 * i, size);
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251);
const plain = (bytes: Uint8Array): Uint8Array => bytes;
const gzip = (bytes: Uint8Array): Uint8Array => new Uint8Array(gzipSync(bytes));
const named = (bytes: Uint8Array, file = 'images') => ({ file, bytes });
const FORMS = { plain, gzip };

async function refusal(read: Promise<unknown>): Promise<DataError> {
  try {
    await read;
  } catch (error) {
    assert.ok(error instanceof DataError, `${(error as Error).stack}`);
    return error;
  }
  throw new Error('it was read');
}

for (const [form, pack] of Object.entries(FORMS)) {
  test(`${form}: images and labels come as they are`, async () => {
    const { labels, ...images } = await readImages({
      images: named(pack(idx([3, 4, 5], counting(60)))),
      labels: named(pack(idx([3], [7, 0, 9])), 'labels'),
    });
    assert.equal(images, { images: counting(60), count: 3, height: 4, width: 5 });
    assert.equal(labels, Uint8Array.of(7, 0, 9));
  });

  test(`${form}: labels may be missing`, async () => {
    const images = await readImages({ images: named(pack(idx([2, 1, 1], [5, 6]))) });
    assert.equal(images, { images: Uint8Array.of(5, 6), count: 2, height: 1, width: 1 });
  });

  test(`${form}: a view into a larger buffer is read from its own start`, async () => {
    const file = pack(idx([2], [1, 2]));
    const larger = new Uint8Array(file.length + 7);
    larger.set(file, 3);
    assert.equal((await decodeIdx(named(larger.subarray(3, 3 + file.length)), 1)).data, Uint8Array.of(1, 2));
  });

  const images = idx([3, 4, 5], counting(60));
  // The sizes of a compressed file are checked before it is unpacked.
  const at = (offset: number) => (form === 'plain' ? offset : 4);
  const most = 2 ** 32 - 1;
  const hostile: [what: string, file: Uint8Array, offset: number, message: RegExp][] = [
    ['an empty file', new Uint8Array(), 0, /expected a header of 16 bytes but found the end after 0/],
    ['half a header', images.subarray(0, 9), 9, /expected a header of 16 bytes but found the end after 9/],
    ['labels instead of images', idx([30], counting(30)), 0, /0x00000803 \(unsigned bytes, 3 sizes\).*0x00000801/],
    ['floats', idx([1, 1, 1], [0, 0, 0, 0], 0x0d03), 0, /found 0x00000d03/],
    ['no IDX at all', new TextEncoder().encode('<!DOCTYPE html>...'), 0, /found 0x3c21444f/],
    ['data cut short', images.subarray(0, 70), 70, /60 bytes of data for sizes 3 x 4 x 5 but found the end after 54/],
    ['trailing bytes', idx([3, 4, 5], counting(62)), 76, /the end of the .* after/],
    ['sizes of 2^31 images', idx([2 ** 31, 28, 28], counting(60)), at(76), /sizes 2147483648 x 28 x 28/],
    ['sizes beyond all bounds', idx([most, most, most], counting(60)), at(76), /4294967295 x/],
    ['no images', idx([0, 28, 28]), 4, /one image at least/],
    ['images without rows', idx([3, 0, 28]), 8, /images with rows/],
    ['images without columns', idx([3, 28, 0]), 12, /images with columns/],
  ];
  for (const [what, file, offset, message] of hostile) {
    test(`${form}: ${what} is refused`, async () => {
      const error = await refusal(readImages({ images: named(pack(file), 'some-images') }));
      assert.is(error.file, 'some-images');
      assert.is(error.offset, offset, error.message);
      assert.match(error.message, message);
      assert.ok(error.message.startsWith(`some-images: at byte ${offset} expected ${error.expected} but found `));
    });
  }
}

const labelled = (labels: Uint8Array, numClasses?: number): IdxImages => ({
  images: named(idx([3, 1, 1], [1, 2, 3])),
  labels: named(labels, 'labels'),
  ...(numClasses && { numClasses }),
});

test('labels that do not fit the images are refused', async () => {
  const few = await refusal(readImages(labelled(idx([2], [0, 1]))));
  assert.is(few.message, 'labels: at byte 4 expected 3 labels, one for each image in images but found 2');
  const outside = await refusal(readImages(labelled(idx([3], [9, 1, 10]), 10)));
  assert.is(outside.message, 'labels: at byte 10 expected a label from 0 to 9 but found 10, which is out of range');
  assert.is((await readImages(labelled(idx([3], [9, 1, 255])))).labels![2], 255);
});

test('what is no file with its name is refused with what to pass', async () => {
  const message = async (read: Promise<unknown>) =>
    read.then(
      () => 'it was read',
      (error: Error) => `${error.name}: ${error.message}`,
    );
  const bytes = idx([3, 4, 5], counting(60));
  const images = named(bytes);
  for (const [given, wanted] of [
    [bytes, /^TypeError: readImages: expected an options object \{ images \} but got an? Uint8Array/],
    [{ images: bytes }, /^TypeError: decodeIdx: expected an options object \{ file, bytes \} but got an? Uint8Array/],
    [{ images: 'train-images' }, /^TypeError: decodeIdx: expected an options object/],
    [
      { images: { file: 'a', bytes: bytes.buffer } },
      /^TypeError: decodeIdx: bytes must be a Uint8Array, as `await readFile\(path\)` gives but is an Arr/,
    ],
    [{ images: { file: 'a', bytes: Promise.resolve(bytes) } }, /bytes must be a Uint8Array, .* but is a Promise/],
    [{ images, label: images }, /unknown option label; did you mean labels\?/],
    [{ images, numClasses: 2.5 }, /numClasses must be a whole number from 1 to 256 but is 2\.5/],
  ] as const)
    assert.match(await message(readImages(given as never)), wanted);
});

const packed = gzip(idx([3, 4, 5], counting(60)));
const damaged = (change: (bytes: Uint8Array) => void): Uint8Array => {
  const copy = packed.slice();
  change(copy);
  return copy;
};
const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

const gzipFaults: [what: string, file: Uint8Array, message: RegExp][] = [
  ['cut short', packed.subarray(0, packed.length - 20), /a whole gzip file/],
  ['without its last bytes', packed.subarray(0, packed.length - 4), /a whole gzip file/],
  ['only a header', packed.subarray(0, 10), /a whole gzip file/],
  ['two bytes', packed.subarray(0, 2), /a whole gzip file/],
  ['of another method', damaged((bytes) => (bytes[2] = 9)), /a whole gzip file/],
  ['with a wrong checksum', damaged((bytes) => (bytes[bytes.length - 8]! ^= 1)), /a whole gzip file/],
  ['with a wrong length', damaged((bytes) => (bytes[bytes.length - 4]! ^= 1)), /a whole gzip file/],
  ['with text behind it', joined(packed, new TextEncoder().encode('more, and more')), /a whole gzip file|gzip member/],
  ['with zeros behind it', joined(packed, new Uint8Array(9)), /one gzip member, of 76 bytes but found 0 bytes/],
  [
    'with zeros and a larger number behind it',
    joined(packed, new Uint8Array(5), Uint8Array.of(77, 0, 0, 0)),
    /one gzip member, of 76 bytes but found 77 bytes/,
  ],
  ['twice', joined(packed, packed), /the end of the content after 76 bytes but found more/],
];
for (const [what, file, message] of gzipFaults) {
  test(`a gzip file ${what} is refused`, async () => {
    assert.match((await refusal(readImages({ images: named(file) }))).message, message);
  });
}

test('a gzip bomb takes no more memory than its header says', async () => {
  const bomb = gzip(joined(idx([3, 4, 5]), new Uint8Array(128 * MIB)));
  const before = process.memoryUsage().rss;
  const error = await refusal(readImages({ images: named(bomb) }));
  const grown = (process.memoryUsage().rss - before) / MIB;
  assert.match(error.message, /the end of the content after 76 bytes but found more/);
  assert.ok(grown < 48, `${grown.toFixed(0)} MiB`);
});

test('a bomb whose header agrees with it is refused by its size, before it is unpacked', async () => {
  const bomb = gzip(joined(idx([172_000, 28, 28]), new Uint8Array(172_000 * 784)));
  const error = await refusal(readImages({ images: named(bomb) }));
  assert.match(
    error.message,
    /a content of at most 134217728 bytes but found sizes 172000 x 28 x 28, which are 134848016/,
  );
});

test('files whose bytes were changed at random are read or refused', async () => {
  const random = seeded(5);
  const any = (n: number): number => Math.floor(random() * n);
  let read = 0;
  for (let i = 0; i < 300; i++) {
    const whole = i % 2 === 0 ? packed : idx([3, 4, 5], counting(60));
    const file = random() < 0.3 ? whole.slice(0, any(whole.length + 1)) : whole.slice();
    for (let k = any(4); k > 0 && file.length > 0; k--) file[any(file.length)] = any(256);
    try {
      const { images, count, height, width } = await readImages({ images: named(file) });
      assert.is(images.length, count * height * width);
      read++;
    } catch (error) {
      assert.ok(error instanceof DataError, `change ${i}: ${(error as Error).stack}`);
    }
  }
  assert.ok(read > 20 && read < 280, `${read} of 300 were read`);
});

test.run();
