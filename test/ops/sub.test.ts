import * as reference from '../../reference/index.ts';
import { sub } from '../../src/ops/sub.ts';
import { run } from '../harness.ts';
import { BROADCASTS, checkArguments, checkOp, checkValues, inf, nan, rows } from './check.ts';

checkOp('sub', sub, reference.sub, { shapes: BROADCASTS });

checkValues('sub passes NaN and infinity on', sub, {
  inputs: rows([nan, 1, inf, inf], [1, nan, -inf, inf]),
  y: [nan, nan, inf, nan],
});
checkValues('sub of a tensor from itself is zero, and so is the gradient', (x) => sub(x!, x!), {
  inputs: [[1, 2]],
  y: [0, 0],
  dy: [3, 4],
  gradients: [[0, 0]],
});
checkArguments('sub', sub, { a: 'f32 2x2', b: 'f32 2x2' });

run();
