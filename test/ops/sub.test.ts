import * as assert from 'uvu/assert';
import { sub } from '../../src/ops/sub.ts';
import { checkOp, gpuTest, run } from '../harness.ts';
import { BROADCAST_SHAPES, twoElements, valuesOf } from './elementwise.ts';

checkOp(
  'sub',
  ([a, b]) => sub(a!, b!),
  twoElements((a, b) => a - b),
  { shapes: BROADCAST_SHAPES },
);

gpuTest('sub passes NaN and infinity on', async (gpu) => {
  const inf = Number.POSITIVE_INFINITY;
  const { y } = await valuesOf(gpu, sub, [
    [Number.NaN, 1, inf, inf],
    [1, Number.NaN, -inf, inf],
  ]);
  assert.equal(y, [Number.NaN, Number.NaN, inf, Number.NaN]);
});

gpuTest('sub of a tensor from itself is zero, and so is the gradient', async (gpu) => {
  const { y, gradients } = await valuesOf(gpu, (x) => sub(x, x), [[1, 2]], [3, 4]);
  assert.equal([y, gradients], [[0, 0], [[0, 0]]]);
});

run();
