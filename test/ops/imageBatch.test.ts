import * as assert from 'uvu/assert';
import { Scalar } from '../../src/gpu/scalar.ts';
import { imageBatch } from '../../src/ops/imageBatch.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run } from '../harness.ts';

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

gpuTest('imageBatch writes into a given tensor of the right shape', async (gpu) => {
  const images = tensor(gpu, words);
  const places = tensor(gpu, Uint32Array.from(order));
  const data = { images, labels: null, count: COUNT, channels: 1, height: 3, width: 3 };
  const into = empty(gpu, [2, 1, 3, 3]);
  const { x } = imageBatch(data, { order: places, offset: 0, size: 2, into });
  assert.is(x, into);
  assert.ok(Math.abs((await x.read())[0]! - normalised(3)[0]!) < 2e-7);
  tidy(() =>
    assert.throws(
      () => imageBatch(data, { order: places, offset: 0, size: 2, into: empty(gpu, [2, 9]) }),
      /imageBatch: into must be \[2,1,3,3\] but is \[2,9\]/,
    ),
  );
  for (const t of [images, places, into]) t.dispose();
});

run();
