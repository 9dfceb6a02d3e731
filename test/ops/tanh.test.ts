import * as reference from '../../reference/index.ts';
import { tanh } from '../../src/ops/tanh.ts';
import { run } from '../harness.ts';
import { between, checkArguments, checkOp, checkValues, ELEMENTS, inf, nan } from './check.ts';

checkOp('tanh', tanh, reference.tanh, { shapes: ELEMENTS, fill: between(-3, 3) });

const around = [0, 1e-20, 1e-4, 3e-3, 0.1, 0.2999, 0.3001, 0.5, 1, 9, 20, 1e4, inf];
const x = around.flatMap((v) => [v, -v]).map(Math.fround);
checkValues('tanh keeps its digits near 0 and saturates without NaN', tanh, {
  inputs: [x],
  y: x.map(Math.tanh),
  rtol: 5e-7,
});
checkValues('tanh has the gradient 1 - y^2', tanh, {
  inputs: [x],
  gradients: [x.map(reference.unary.tanh.slope)],
  rtol: 1e-6,
  atol: 2e-7,
});
checkValues('tanh passes NaN on, and so does its gradient', tanh, {
  inputs: [[nan, 0, 1e4]],
  y: [nan, 0, 1],
  dy: [1, nan, nan],
  gradients: [[nan, nan, nan]],
});
checkArguments('tanh', tanh, { x: 'f32 2x2' });

run();
