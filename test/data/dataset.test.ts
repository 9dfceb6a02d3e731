import * as assert from 'uvu/assert';
import { ImageDataset } from '../../src/data/dataset.ts';
import { Sampler } from '../../src/data/sampler.ts';
import { Random } from '../../src/random.ts';
import { assertClose, gpuTest, run } from '../harness.ts';

const host = {
  images: Uint8Array.from({ length: 12 }, (_, i) => i),
  labels: Uint8Array.of(0, 1, 2),
  count: 3,
  height: 2,
  width: 2,
};

gpuTest('batches come in order, the last short one included, and pixels as byte / 127.5 - 1', async (gpu) => {
  const data = new ImageDataset(gpu, host, 2);
  const seen: { shape: readonly number[]; x: number[]; labels: number[] }[] = [];
  for (const { x, labels } of data)
    seen.push({ shape: x.shape, x: [...(await x.read())], labels: [...(await labels!.readU32())] });
  assert.equal(
    seen.map(({ shape, labels }) => ({ shape, labels })),
    [
      { shape: [2, 1, 2, 2], labels: [0, 1] },
      { shape: [1, 1, 2, 2], labels: [2] },
    ],
  );
  const expected = Float32Array.from(host.images, (byte) => byte / 127.5 - 1);
  assertClose('x', Float32Array.from(seen.flatMap(({ x }) => x)), expected, { rtol: 0, atol: 1e-6 });
  data.dispose();
});

gpuTest('what would be cut to bytes, or never end, is refused', (gpu) => {
  const floats = { ...host, images: Float32Array.from(host.images, (byte) => byte / 255) as never };
  assert.throws(
    () => new ImageDataset(gpu, floats, 2),
    /data: pixels and labels must be a Uint8Array each but one is Float32Array/,
  );
  assert.throws(() => new ImageDataset(gpu, { ...host, labels: [0, 1, 2] as never }, 2), /but one is Array/);
  for (const batchSize of [0, -1, 1.5, undefined as never])
    assert.throws(() => new ImageDataset(gpu, host, batchSize), /data: batchSize must be a whole number >= 1 but is/);
  const data = new ImageDataset(gpu, host, 2);
  assert.throws(() => new Sampler(data, 0, new Random(0)), /sampler: batchSize must be a whole number >= 1 but is 0/);
  data.dispose();
});

run();
