import * as assert from 'uvu/assert';
import { mul } from '../../src/ops/mul.ts';
import { checkOp, gpuTest, run } from '../harness.ts';
import { BROADCAST_SHAPES, twoElements, valuesOf } from './elementwise.ts';

checkOp(
  'mul',
  ([a, b]) => mul(a!, b!),
  twoElements((a, b) => a * b),
  { shapes: BROADCAST_SHAPES },
);

gpuTest('mul passes NaN and infinity on', async (gpu) => {
  const inf = Number.POSITIVE_INFINITY;
  const { y, gradients } = await valuesOf(
    gpu,
    mul,
    [
      [Number.NaN, 0, inf, inf],
      [0, Number.NaN, -2, 0],
    ],
    [1, 0, 1, 1],
  );
  assert.equal(y, [Number.NaN, Number.NaN, -inf, Number.NaN]);
  assert.equal(gradients, [
    [0, Number.NaN, -2, 0],
    [Number.NaN, 0, inf, inf],
  ]);
});

gpuTest('mul of a tensor with itself has both gradients', async (gpu) => {
  const { y, gradients } = await valuesOf(gpu, (x) => mul(x, x), [[3, -2]], [1, 10]);
  assert.equal([y, gradients], [[9, 4], [[6, -40]]]);
});

run();
