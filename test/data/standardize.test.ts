import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ImageDataset } from '../../src/data/dataset.ts';
import { dataStatistics, imageNetStatistics, standardize } from '../../src/data/standardize.ts';
import { assertClose, gpuTest, run } from '../harness.ts';

// Three vectors of three features; the last never changes.
const source = { features: Float32Array.of(1, 10, 5, 3, 30, 5, 5, 20, 5), count: 3, dim: 3 };
const target = { features: Float32Array.of(3, 0, 6), count: 1, dim: 3, names: ['a'] };

test('vectors are standardised with the mean and the deviation of the source', () => {
  const statistics = dataStatistics(source);
  assert.equal([...statistics.mean], [3, 20, 5]);
  assert.equal([...statistics.std], [Math.sqrt(8 / 3), Math.sqrt(200 / 3), 1]);
  const { features } = standardize(source, statistics);
  const again = dataStatistics({ ...source, features });
  for (const k of [0, 1, 2]) {
    assert.ok(Math.abs(again.mean[k]!) < 1e-6);
    assert.ok(Math.abs(again.std[k]! - 1) < 1e-6);
  }
  const moved = standardize(target, statistics);
  assert.equal([moved.features[0], moved.features[2], moved.names], [0, 1, ['a']]);
  assert.ok(Math.abs(moved.features[1]! + 20 / Math.sqrt(200 / 3)) < 1e-6);
  assert.equal([...target.features], [3, 0, 6]);
});

test('a large offset does not drown a small deviation', () => {
  const features = Float32Array.from({ length: 100_000 }, (_, i) => 10_000 + (i % 2));
  const { mean, std } = dataStatistics({ features, count: 100_000, dim: 1 });
  assert.ok(Math.abs(mean[0]! - 10_000.5) < 1e-2 && Math.abs(std[0]! - 0.5) < 1e-6, `${mean[0]} ${std[0]}`);
});

test('statistics of other vectors are refused', () => {
  const statistics = dataStatistics(source);
  const other = { features: new Float32Array(4), count: 2, dim: 2 };
  assert.throws(
    () => standardize(other, statistics),
    /standardize: mean and std have 3 and 3 numbers, but there are 2 features/,
  );
  assert.throws(() => standardize(other, { mean: [0, 0], std: [1, 0] }), /std must be an array, in which each is .*,/);
  assert.throws(() => standardize(other, {} as never), /standardize: mean and std are missing/);
  assert.throws(() => dataStatistics({ ...other, dim: 3 }), /dataStatistics: 2 vectors of 3 numbers take 6/);
});

gpuTest('images are standardised in their batches, by channel', async (gpu) => {
  // Two images of 1 x 2 pixels; the last channel never changes.
  const images = Uint8Array.of(0, 51, 255, 255, 9, 9, 102, 51, 0, 255, 9, 9);
  const host = { images, count: 2, channels: 3, height: 1, width: 2 };
  const statistics = dataStatistics(host);
  const near = (actual: readonly number[] | Float32Array, expected: readonly number[]) =>
    assertClose('x', Float32Array.from(actual), Float32Array.from(expected), { rtol: 0, atol: 1e-5 });
  near(statistics.mean, [0.2, 0.75, 9 / 255]);
  near(statistics.std, [Math.sqrt(0.02), Math.sqrt(0.1875), 1]);
  const data = new ImageDataset(gpu, standardize(host, statistics), 2);
  const batch = data.batchAt(0);
  const x = await batch.x.read();
  batch.x.dispose();
  near(x, [
    -Math.SQRT2,
    0,
    1 / Math.sqrt(3),
    1 / Math.sqrt(3),
    0,
    0,
    Math.SQRT2,
    0,
    -Math.sqrt(3),
    1 / Math.sqrt(3),
    0,
    0,
  ]);
  data.dispose();
  // A data set's own options come first.
  const plain = new ImageDataset(gpu, standardize(host, imageNetStatistics), 2, { std: 1 });
  assert.equal([plain.mean, plain.std], [imageNetStatistics.mean, [1, 1, 1]]);
  plain.dispose();
  assert.throws(() => standardize({ ...host, channels: 1, count: 6 }, imageNetStatistics), /but there are 1 channels/);
});

run();
