import * as reference from '../../reference/index.ts';
import { abs } from '../../src/ops/abs.ts';
import { run } from '../harness.ts';
import { checkArguments, checkOp, checkValues, distinct, ELEMENTS, inf, nan } from './check.ts';

// No element is closer to the kink at 0 than the step of the central difference.
checkOp('abs', abs, reference.abs, { shapes: ELEMENTS, fill: distinct, step: 1e-5 });

checkValues('abs passes NaN on, and its gradient is 0 at 0 and at NaN', abs, {
  inputs: [[nan, -1, 0, -0, 2, inf, -inf, -1e-30]],
  y: [nan, 1, 0, 0, 2, inf, inf, Math.fround(1e-30)],
  dy: [1, 2, 3, 4, 5, 6, 7, 0],
  gradients: [[0, -2, 0, 0, 5, 6, -7, 0]],
});
checkArguments('abs', abs, { x: 'f32 2x2' });

run();
