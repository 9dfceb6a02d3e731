import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type HostFeatures, isFeatures } from '../../src/data/host.ts';
import { readCsv } from '../../src/data/readers/csv.ts';
import { readImages } from '../../src/data/readers/idx.ts';
import { imagesOfList } from '../../src/data/readers/images.ts';
import { decodeNpy, labelsIn, readNpy } from '../../src/data/readers/npy.ts';
import { readFeatures } from '../../src/data/readers/safetensors.ts';
import { encodeSafetensors } from '../../src/io/safetensors.ts';
import { sizeOf } from '../../src/shape.ts';
import { readAll } from './inputs.ts';

// Readers of features, images with channels and image lists get thousands of damaged files. Each must load or say where it is wrong.

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

/** A .npy file of format version 1, as NumPy writes it. */
function npy(descr: string, shape: readonly number[], data: ArrayBufferView): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`.padEnd(117);
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return join(Uint8Array.of(0x93), bytesOf('NUMPY'), Uint8Array.of(1, 0, 118, 0), bytesOf(`${header}\n`), raw);
}

function expectFeatures({ features, count, dim, labels, classNames }: HostFeatures): void {
  assert.is(features.length, count * dim);
  assert.ok(count > 0 && dim > 0 && features.every(Number.isFinite));
  if (labels) assert.is(labels.length, count);
  if (classNames) assert.ok(Array.from(labels!, Number).every((label) => label < classNames.length));
}

const vectors = Float32Array.from({ length: 12 }, (_, i) => i / 4 - 1);

test('npy', async () => {
  const good = [
    npy('<f4', [4, 3], vectors),
    npy('<f8', [2, 6], Float64Array.from(vectors)),
    npy('|u1', [3, 2, 2], new Uint8Array(12).fill(7)),
    npy('|u1', [2, 3, 2, 2], new Uint8Array(24).fill(9)),
  ];
  await readAll(
    'npy',
    good,
    (bytes) => readNpy({ data: { file: 'a.npy', bytes } }),
    (data) => {
      if (isFeatures(data)) return expectFeatures(data);
      assert.is(data.images.length, data.count * data.channels! * data.height * data.width);
      assert.ok(data.images.length > 0);
    },
  );
});

test('labels in npy', async () => {
  const good = [
    npy('<i8', [4], BigInt64Array.of(0n, 3n, 1n, 2n)),
    npy('<i4', [4], Int32Array.of(5, 0, 0, 1)),
    npy('<u2', [4], Uint16Array.of(1, 2, 3, 4)),
  ];
  await readAll(
    'labels in npy',
    good,
    (bytes) => labelsIn(decodeNpy({ file: 'a.labels.npy', bytes }), 4, 'a.labels.npy'),
    (labels) => assert.is(labels.length, 4),
  );
});

test('csv', async () => {
  const texts = [
    'x,y,class\n1,2,cat\n-3.5,4e2,dog\n',
    'class,x\r\n"a ""b"", c",1\r\n"d\ne",2\r\n',
    'x,class,y\n1,0,2\n3,1,4',
  ];
  await readAll(
    'csv',
    texts.map(bytesOf),
    (bytes) => readCsv({ file: 'a.csv', bytes }, { labelColumn: 'class' }),
    expectFeatures,
  );
});

test('features in safetensors', async () => {
  const good = [
    encodeSafetensors(new Map([['features', { shape: [4, 3], data: vectors }]])),
    encodeSafetensors(
      new Map([
        ['features', { shape: [3, 4], data: vectors }],
        ['labels', { shape: [3], data: BigInt64Array.of(2n, 0n, 1n) }],
      ] as const),
    ),
  ];
  await readAll('features', good, (bytes) => readFeatures({ file: 'a.safetensors', bytes }), expectFeatures);
});

test('IDX images with channels', async () => {
  const idx = (shape: readonly number[]): Uint8Array => {
    const bytes = new Uint8Array(4 + 4 * shape.length + sizeOf(shape)).fill(5);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 0x0800 + shape.length);
    for (const [i, size] of shape.entries()) view.setUint32(4 + 4 * i, size);
    return bytes;
  };
  await readAll(
    'IDX images with channels',
    [idx([3, 3, 4, 5]), idx([2, 1, 6, 6]), idx([3, 4, 5])],
    (bytes) => readImages({ images: { file: 'images', bytes } }),
    ({ images, count, channels = 1, height, width }) => {
      assert.is(images.length, count * channels * height * width);
      assert.ok(images.length > 0 && (channels === 1 || channels === 3));
    },
  );
});

test('image lists', async () => {
  const texts = ['a/b.png 0\nc d.jpg 12\n', 'ä.webp cat\r\nb.png dog\r\n'];
  await readAll(
    'image lists',
    texts.map(bytesOf),
    (bytes) => imagesOfList({ file: 'list.txt', bytes }),
    (images) => assert.ok(images.length > 0 && images.every(({ name, label }) => name && label)),
  );
});

test.run();
