import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { featureStatistics, standardize } from '../../src/data/standardize.ts';

// Three vectors of three features; the last never changes.
const source = { features: Float32Array.of(1, 10, 5, 3, 30, 5, 5, 20, 5), count: 3, dim: 3 };
const target = { features: Float32Array.of(3, 0, 6), count: 1, dim: 3, names: ['a'] };

test('vectors are standardised with the mean and the deviation of the source', () => {
  const statistics = featureStatistics(source);
  assert.equal([...statistics.mean], [3, 20, 5]);
  assert.equal([...statistics.std], [Math.sqrt(8 / 3), Math.sqrt(200 / 3), 1].map(Math.fround));
  const { features } = standardize(source, statistics);
  const again = featureStatistics({ ...source, features });
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
  const { mean, std } = featureStatistics({ features, count: 100_000, dim: 1 });
  assert.ok(Math.abs(mean[0]! - 10_000.5) < 1e-2 && Math.abs(std[0]! - 0.5) < 1e-6, `${mean[0]} ${std[0]}`);
});

test('statistics of other vectors are refused', () => {
  const statistics = featureStatistics(source);
  const other = { features: new Float32Array(4), count: 2, dim: 2 };
  assert.throws(() => standardize(other, statistics), /standardize: mean must be a Float32Array of 2 numbers/);
  assert.throws(() => standardize(other, {} as never), /standardize: mean and std are missing/);
  assert.throws(() => featureStatistics({ ...other, dim: 3 }), /featureStatistics: 2 vectors of 3 numbers take 6/);
});

test.run();
