import * as reference from '../../reference/index.ts';
import { log } from '../../src/ops/log.ts';
import { run } from '../harness.ts';
import { between, checkArguments, checkOp, checkValues, ELEMENTS, inf, nan } from './check.ts';

checkOp('log', log, reference.log, { shapes: ELEMENTS, fill: between(0.1, 5.1) });

const range = [1e-45, 1e-40, 1.1754943508222875e-38, 1e-20, 0.9999, 1, 1.0001, 1e20, 3.4028234663852886e38];
checkValues('log keeps its digits over the whole range of f32, denormals included', log, {
  inputs: [range],
  y: range.map((x) => Math.log(Math.fround(x))),
  rtol: 1e-6,
  atol: 1e-6,
});
checkValues('log of 0 is -infinity, of a negative number NaN', log, {
  inputs: [[0, -0, -1, -1e-40, -inf, inf, nan, 2]],
  y: [-inf, -inf, nan, nan, nan, inf, nan, Math.log(2)],
  rtol: 1e-6,
});
checkValues('log has the gradient dy / x, and passes NaN on', log, {
  inputs: [[0, -1, inf, nan, 2]],
  dy: [1, 1, 1, 1, nan],
  gradients: [[inf, -1, 0, nan, nan]],
});
checkArguments('log', log, { x: 'f32 2x2' });

run();
