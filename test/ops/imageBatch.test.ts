import * as assert from 'uvu/assert';
import { Scalar } from '../../src/gpu/scalar.ts';
import { imageBatch } from '../../src/ops/imageBatch.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run } from '../harness.ts';

// 5 images of 3x3: nine pixels do not fill whole words, so images start anywhere in one.
const COUNT = 5;
const PIXELS = 9;
const bytes = Uint8Array.from({ length: 48 }, (_, i) => (i < COUNT * PIXELS ? (i * 37) % 256 : 0));
const words = new Uint32Array(bytes.buffer);
const order = [3, 0, 4, 1, 2];
const normalised = (item: number): number[] =>
  [...bytes.subarray(item * PIXELS, (item + 1) * PIXELS)].map((byte) => Math.fround(Math.fround(byte / 127.5) - 1));

for (const labelled of [false, true]) {
  gpuTest(`imageBatch ${labelled ? 'with' : 'without'} labels`, async (gpu) => {
    const images = tensor(gpu, words);
    const labels = labelled ? tensor(gpu, Uint32Array.of(10, 11, 12, 13, 14)) : null;
    const places = tensor(gpu, Uint32Array.from(order));
    const data = { images, labels, count: COUNT, channels: 1, height: 3, width: 3 };
    const batch = imageBatch(data, { order: places, offset: new Scalar(1), size: 3 });
    assert.equal(batch.x.shape, [3, 1, 3, 3]);
    const x = await batch.x.read();
    const expected = [0, 4, 1].flatMap(normalised);
    for (const [i, value] of expected.entries()) assert.ok(Math.abs(x[i]! - value) < 2e-7, `pixel ${i}`);
    if (labelled) assert.equal([...(await batch.labels!.readU32())], [10, 14, 11]);
    else assert.is(batch.labels, null);
    for (const t of [images, labels, places, batch.x, batch.labels]) t?.dispose();
  });
}

// Images of 36 bytes: no row but the first begins where a view could.
for (const labelled of [false, true]) {
  gpuTest(`imageBatch writes rows of a given tensor ${labelled ? 'with' : 'without'} labels`, async (gpu) => {
    const images = tensor(gpu, words);
    const labels = labelled ? tensor(gpu, Uint32Array.of(10, 11, 12, 13, 14)) : null;
    const places = tensor(gpu, Uint32Array.from(order));
    const data = { images, labels, count: COUNT, channels: 1, height: 3, width: 3 };
    const into = tensor(gpu, new Float32Array(6 * PIXELS).fill(7), [6, 1, 3, 3]);
    const first = imageBatch(data, { order: places, offset: 0, size: 2, into });
    const second = imageBatch(data, { order: places, offset: 1, size: 3, into, row: 2 });
    assert.is(second.x, into);
    const expected = [...[3, 0, 0, 4, 1].flatMap(normalised), ...new Array(PIXELS).fill(7)];
    assertClose('x', await into.read(), expected, { rtol: 0, atol: 2e-7 });
    if (labelled) assert.equal([...(await second.labels!.readU32())], [10, 14, 11]);
    for (const t of [images, labels, places, into, first.labels, second.labels]) t?.dispose();
  });
}

gpuTest('imageBatch of an image that is not there: NaN, and a label that no class has', async (gpu) => {
  const [images, labels] = [tensor(gpu, words), tensor(gpu, Uint32Array.of(10, 11, 12, 13, 14))];
  const places = tensor(gpu, Uint32Array.of(COUNT, 4, 2 ** 32 - 1));
  const data = { images, labels, count: COUNT, channels: 1, height: 3, width: 3 };
  const batch = imageBatch(data, { order: places, offset: 0, size: 3 });
  const none = new Array(PIXELS).fill(Number.NaN);
  assertClose('x', await batch.x.read(), [...none, ...normalised(4), ...none], { rtol: 0, atol: 2e-7 });
  assert.equal([...(await batch.labels!.readU32())], [2 ** 32 - 1, 14, 2 ** 32 - 1]);
  for (const t of [images, labels, places, batch.x, batch.labels!]) t.dispose();
});

gpuTest('imageBatch refuses a tensor that the images do not fit in', (gpu) => {
  tidy(() => {
    const data = { images: tensor(gpu, words), labels: null, count: COUNT, channels: 1, height: 3, width: 3 };
    const places = tensor(gpu, Uint32Array.from(order));
    const batch = (shape: number[], row: number) => () =>
      imageBatch(data, { order: places, offset: 0, size: 2, into: empty(gpu, shape), row });
    assert.throws(
      batch([2, 9], 0),
      /imageBatch: 2 images \[1,3,3\] from row 0 on do not fit in into, which is \[2,9\]/,
    );
    assert.throws(batch([3, 1, 3, 3], 2), /from row 2 on do not fit in into, which is \[3,1,3,3\]/);
    const at = (offset: unknown, size: number) => () =>
      imageBatch(data, { order: places, offset: offset as number, size });
    const all = { order: places, offset: 0, size: 1 };
    assert.throws(
      () => imageBatch({ ...data, count: 6 }, all),
      /images has 12 words, but 6 images of \[1,3,3\] bytes take 14/,
    );
    assert.throws(() => imageBatch(undefined as never, all), /images must be a tensor but is undefined/);
    assert.throws(() => imageBatch(data, { ...all, order: [0] as never }), /order must be a tensor but is .*an array/);
    assert.throws(at(4, 2), /imageBatch: order has 5 places, but 2 from offset 4 on are wanted/);
    assert.throws(at(new Scalar(3), 3), /order has 5 places, but 3 from offset 3 on/);
    assert.throws(at('0', 2), /offset must be a whole number >= 0, or a Scalar but is '0'/);
    assert.throws(batch([3, 1, 3, 3], -1), /row must be a whole number >= 0 but is -1/);
  });
});

run();
