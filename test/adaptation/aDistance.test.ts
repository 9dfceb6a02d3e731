import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aDistance } from '../../src/adaptation/aDistance.ts';
import type { HostFeatures } from '../../src/data/host.ts';
import { seeded } from '../harness.ts';

/** Vectors of nearly normal numbers (a sum of twelve uniform ones); the first has this mean, the others 0. */
function normal(count: number, mean: number, seed: number, dim = 3): HostFeatures {
  const random = seeded(seed);
  const features = Float32Array.from({ length: count * dim }, (_, i) => {
    let sum = i % dim === 0 ? mean - 6 : -6;
    for (let k = 0; k < 12; k++) sum += random();
    return sum;
  });
  return { features, count, dim };
}

test('the A-distance of two Gaussians is that of the best linear classifier', () => {
  // The error of the best classifier is Phi(-shift / 2).
  for (const [shift, expected] of [
    [0, 0],
    [1, 2 * (1 - 2 * 0.3085)],
    [2, 2 * (1 - 2 * 0.1587)],
    [9, 2],
  ] as const) {
    const distance = aDistance(normal(2000, 0, 1), normal(2000, shift, 2));
    // A tenth is about two standard deviations with 800 examples that are tested.
    assert.ok(Math.abs(distance - expected) < 0.1, `shift ${shift}: ${distance}, expected ${expected}`);
  }
});

test('the same seed gives the same A-distance; domains may have different numbers of examples', () => {
  const [a, b] = [normal(300, 0, 3), normal(100, 2, 4)];
  assert.is(aDistance(a, b), aDistance(a, b, { seed: 0, trainingEpochs: 10 }));
  assert.is.not(aDistance(a, b, { seed: 1 }), aDistance(a, b));
});

test('vectors of two lengths, too few examples and unknown options are refused', () => {
  const a = normal(10, 0, 1);
  assert.throws(
    () => aDistance(a, normal(10, 0, 1, 2)),
    /^aDistance: source vectors have 3 numbers, but target vectors 2; pass/,
  );
  assert.throws(
    () => aDistance({ ...a, count: 9 }, a),
    /^aDistance: source: 9 vectors of 3 numbers take 27 numbers, but/,
  );
  // With so few examples the result is chance.
  assert.throws(
    () => aDistance(a, normal(4, 0, 1)),
    /^aDistance: target has 4 examples; pass 5 or more, better hundreds$/,
  );
  assert.ok(Number.isFinite(aDistance(normal(5, 0, 1), normal(5, 0, 2))));
  assert.throws(() => aDistance(a, a, { epochs: 3 } as never), /^aDistance: unknown option epochs/);
});

test.run();
