import * as reference from '../../reference/index.ts';
import { exp } from '../../src/ops/exp.ts';
import { run } from '../harness.ts';
import { checkArguments, checkOp, checkValues, ELEMENTS, inf, nan } from './check.ts';

checkOp('exp', exp, reference.exp, { shapes: ELEMENTS });

const large = [88, 88.72283172607422, -80, 0];
checkValues('exp keeps its digits up to the largest f32', exp, { inputs: [large], y: large.map(Math.exp), rtol: 2e-5 });
checkValues('exp overflows to infinity and underflows to 0', exp, {
  inputs: [[88.72283935546875, 1e4, inf, -1e4, -inf]],
  y: [inf, inf, inf, 0, 0],
});
checkValues('exp passes NaN on, and so does its gradient', exp, {
  inputs: [[nan, 0, -1e4]],
  y: [nan, 1, 0],
  dy: [1, nan, nan],
  gradients: [[nan, nan, nan]],
  rtol: 1e-6,
});
checkArguments('exp', exp, { x: 'f32 2x2' });

run();
