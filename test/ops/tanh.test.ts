import * as assert from 'uvu/assert';
import { tanh } from '../../src/ops/tanh.ts';
import { assertClose, checkOp, gpuTest, run, uniform } from '../harness.ts';
import { eachElement, ODD_SHAPES, valuesOf } from './elementwise.ts';

checkOp('tanh', ([x]) => tanh(x!), eachElement(Math.tanh), {
  shapes: ODD_SHAPES,
  fill: (shape, random) => uniform(shape, random, 3),
});

gpuTest('tanh keeps its digits near 0, and saturates without NaN', async (gpu) => {
  const around = [0, 1e-20, 1e-4, 3e-3, 0.1, 0.2999, 0.3001, 0.5, 1, 9, 20, 1e4, Number.POSITIVE_INFINITY];
  const x = around.flatMap((v) => [v, -v]).map(Math.fround);
  const { y, gradients } = await valuesOf(
    gpu,
    tanh,
    [x],
    x.map(() => 1),
  );
  assertClose('tanh', y, x.map(Math.tanh), { rtol: 5e-7, atol: 0 });
  assertClose(
    'gradient',
    gradients[0]!,
    x.map((v) => 1 - Math.tanh(v) ** 2),
    { rtol: 1e-6, atol: 2e-7 },
  );
});

gpuTest('tanh passes NaN on, and in its gradient', async (gpu) => {
  const { y, gradients } = await valuesOf(gpu, tanh, [[Number.NaN, 0, 1e4]], [1, Number.NaN, Number.NaN]);
  assert.equal(y, [Number.NaN, 0, 1]);
  assert.equal(gradients[0], [Number.NaN, Number.NaN, Number.NaN]);
});

run();
