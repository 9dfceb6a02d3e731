import * as reference from '../../reference/index.ts';
import { sigmoid } from '../../src/ops/sigmoid.ts';
import { run } from '../harness.ts';
import { between, checkArguments, checkOp, checkValues, ELEMENTS, inf, nan } from './check.ts';

checkOp('sigmoid', sigmoid, reference.sigmoid, { shapes: ELEMENTS, fill: between(-6, 6) });

const { f, slope } = reference.unary.sigmoid;
const x = [0, -20, 20, -80, 1e4, -1e4, inf, -inf];
checkValues('sigmoid keeps the digits of small probabilities and saturates without NaN', sigmoid, {
  inputs: [x],
  y: x.map(f),
  rtol: 2e-6,
});
checkValues('sigmoid has a gradient of 0 where it saturates', sigmoid, {
  inputs: [x],
  gradients: [x.map(slope)],
  rtol: 2e-6,
  atol: 1e-7,
});
checkValues('sigmoid passes NaN on, and so does its gradient', sigmoid, {
  inputs: [[nan, 0, 1e4]],
  y: [nan, 0.5, 1],
  dy: [1, nan, nan],
  gradients: [[nan, nan, nan]],
  rtol: 1e-6,
});
checkArguments('sigmoid', sigmoid, { x: 'f32 2x2' });

run();
