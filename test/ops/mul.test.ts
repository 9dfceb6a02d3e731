import * as reference from '../../reference/index.ts';
import { mul } from '../../src/ops/mul.ts';
import { run } from '../harness.ts';
import { BROADCASTS, checkArguments, checkOp, checkValues, inf, nan, rows } from './check.ts';

checkOp('mul', mul, reference.mul, { shapes: BROADCASTS });

checkValues('mul passes NaN and infinity on', mul, {
  inputs: rows([nan, 0, inf, inf], [0, nan, -2, 0]),
  y: [nan, nan, -inf, nan],
  dy: [1, 0, 1, 1],
  gradients: rows([0, nan, -2, 0], [nan, 0, inf, inf]),
});
checkValues('mul of a tensor with itself has both gradients', (x) => mul(x!, x!), {
  inputs: [[3, -2]],
  y: [9, 4],
  dy: [1, 10],
  gradients: [[6, -40]],
});
checkArguments('mul', mul, { a: 'f32 2x2', b: 'f32 2x2' });

run();
