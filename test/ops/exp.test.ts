import * as assert from 'uvu/assert';
import { exp } from '../../src/ops/exp.ts';
import { assertClose, checkOp, gpuTest, run } from '../harness.ts';
import { eachElement, ODD_SHAPES, valuesOf } from './elementwise.ts';

checkOp('exp', ([x]) => exp(x!), eachElement(Math.exp), { shapes: ODD_SHAPES });

gpuTest('exp overflows to infinity and ends at 0', async (gpu) => {
  const inf = Number.POSITIVE_INFINITY;
  const large = [88, 88.72283172607422, -80, 0];
  const { y } = await valuesOf(gpu, exp, [[...large, 88.72283935546875, 1e4, inf, -1e4, -inf]]);
  assertClose('exp', y.slice(0, 4), large.map(Math.exp), { rtol: 2e-5, atol: 0 });
  assert.equal(y.slice(4), [inf, inf, inf, 0, 0]);
});

gpuTest('exp passes NaN on, and in its gradient', async (gpu) => {
  const { y, gradients } = await valuesOf(gpu, exp, [[Number.NaN, 0, -1e4]], [1, Number.NaN, Number.NaN]);
  assertClose('exp', y, [Number.NaN, 1, 0], { rtol: 1e-6, atol: 0 });
  assert.equal(gradients[0], [Number.NaN, Number.NaN, Number.NaN]);
});

run();
