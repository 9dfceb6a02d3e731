import * as assert from 'uvu/assert';
import { log } from '../../src/ops/log.ts';
import { assertClose, checkOp, gpuTest, run } from '../harness.ts';
import { eachElement, ODD_SHAPES, valuesOf } from './elementwise.ts';

checkOp('log', ([x]) => log(x!), eachElement(Math.log), {
  shapes: ODD_SHAPES,
  fill: (shape, random) => Float32Array.from({ length: shape.reduce((a, n) => a * n, 1) }, () => 0.1 + 5 * random()),
});

gpuTest('log over the whole range of f32', async (gpu) => {
  const x = [1e-45, 1e-40, 1.1754943508222875e-38, 1e-20, 0.9999, 1, 1.0001, 1e20, 3.4028234663852886e38].map(
    Math.fround,
  );
  const { y } = await valuesOf(gpu, log, [x]);
  assertClose('log', y, x.map(Math.log), { rtol: 1e-6, atol: 1e-6 });
});

gpuTest('log of 0 is -infinity, of less NaN; NaN is passed on, and in its gradient', async (gpu) => {
  const inf = Number.POSITIVE_INFINITY;
  const x = [0, -0, -1, -1e-40, -inf, inf, Number.NaN, 2];
  const { y, gradients } = await valuesOf(gpu, log, [x], [1, 1, 1, 0, 1, 1, 1, Number.NaN]);
  const nan = Number.NaN;
  assertClose('log', y, [-inf, -inf, nan, nan, nan, inf, nan, Math.log(2)], { rtol: 1e-6, atol: 0 });
  assert.equal([gradients[0]![0], gradients[0]![2], ...gradients[0]!.slice(5)], [inf, -1, 0, nan, nan]);
});

run();
