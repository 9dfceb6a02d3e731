import * as assert from 'uvu/assert';
import { sigmoid } from '../../src/ops/sigmoid.ts';
import { assertClose, checkOp, gpuTest, run, uniform } from '../harness.ts';
import { eachElement, ODD_SHAPES, valuesOf } from './elementwise.ts';

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

checkOp('sigmoid', ([x]) => sigmoid(x!), eachElement(logistic), {
  shapes: ODD_SHAPES,
  fill: (shape, random) => uniform(shape, random, 6),
});

gpuTest('sigmoid keeps the digits of small probabilities, and saturates without NaN', async (gpu) => {
  const x = [0, -20, 20, -80, 1e4, -1e4, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const { y, gradients } = await valuesOf(
    gpu,
    sigmoid,
    [x],
    x.map(() => 1),
  );
  assertClose('sigmoid', y, x.map(logistic), { rtol: 2e-6, atol: 0 });
  assertClose(
    'gradient',
    gradients[0]!,
    x.map((v) => logistic(v) * (1 - logistic(v))),
    { rtol: 2e-6, atol: 1e-7 },
  );
});

gpuTest('sigmoid passes NaN on, and in its gradient', async (gpu) => {
  const { y, gradients } = await valuesOf(gpu, sigmoid, [[Number.NaN, 0, 1e4]], [1, Number.NaN, Number.NaN]);
  assertClose('sigmoid', y, [Number.NaN, 0.5, 1], { rtol: 1e-6, atol: 0 });
  assert.equal(gradients[0], [Number.NaN, Number.NaN, Number.NaN]);
});

run();
