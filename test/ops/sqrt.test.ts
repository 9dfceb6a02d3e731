import * as reference from '../../reference/index.ts';
import { sqrt } from '../../src/ops/sqrt.ts';
import { run } from '../harness.ts';
import { between, checkArguments, checkOp, checkValues, ELEMENTS, inf, nan } from './check.ts';

checkOp('sqrt', sqrt, reference.sqrt, { shapes: ELEMENTS, fill: between(0.1, 5.1) });

const range = [1e-45, 1e-40, 1.1754943508222875e-38, 1e-20, 0.9999, 1, 2, 1e20, 3.4028234663852886e38];
checkValues('sqrt keeps its digits over the whole range of f32, denormals included', sqrt, {
  inputs: [range],
  y: range.map((x) => Math.sqrt(Math.fround(x))),
  rtol: 5e-7,
});
checkValues('sqrt of a negative number is NaN, of 0 and infinity themselves', sqrt, {
  inputs: [[0, -0, -1, -1e-40, -inf, inf, nan]],
  y: [0, -0, nan, nan, nan, inf, nan],
});
checkValues('sqrt has the gradient dy / (2 y), and passes NaN on', sqrt, {
  inputs: [[0, 4, inf, nan, 9]],
  dy: [1, 1, 1, 1, nan],
  gradients: [[inf, 0.25, 0, nan, nan]],
  rtol: 1e-6,
});
checkArguments('sqrt', sqrt, { x: 'f32 2x2' });

run();
