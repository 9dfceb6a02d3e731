import * as reference from '../../reference/index.ts';
import { div } from '../../src/ops/div.ts';
import { run } from '../harness.ts';
import { BROADCASTS, between, checkArguments, checkOp, checkValues, inf, nan, rows } from './check.ts';

checkOp('div', div, reference.div, { shapes: BROADCASTS, fill: between(0.5, 1.5) });

checkValues('div by 0 is infinite, 0 by 0 NaN, and NaN passes on', div, {
  inputs: rows([1, -1, 0, nan, 1, 6, inf], [0, 0, 0, 1, nan, inf, inf]),
  y: [inf, -inf, nan, nan, nan, 0, nan],
});
checkValues('div has the gradients dy / b and -dy a / b^2, without overflow', div, {
  inputs: rows([6, -6, 2 ** 100], [3, 2, 2 ** 100]),
  dy: [3, 2, 2 ** 100],
  gradients: [
    [1, 1, 1],
    [-2, 3, -1],
  ],
  rtol: 1e-6,
});
checkArguments('div', div, { a: 'f32 2x2', b: 'f32 2x2' });

run();
