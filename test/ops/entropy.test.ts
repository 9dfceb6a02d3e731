import * as reference from '../../reference/index.ts';
import { entropy } from '../../src/ops/entropy.ts';
import { run } from '../harness.ts';
import { between, checkArguments, checkOp, checkValues, nan, rows } from './check.ts';

checkOp(
  'entropy',
  (p) => entropy(p!),
  (p) => reference.entropy(p!),
  {
    shapes: ['1x3', '65x10', '9x131'],
    fill: between(0.01, 1),
    backward: (dy, p) => [reference.entropyBackward(p!, dy)],
  },
);

checkValues('entropy of certain and impossible classes is finite, and NaN stays in its row', (p) => entropy(p!), {
  inputs: [rows([1, 0], [0, 0], [nan, 0.5])],
  y: [0, 0, nan],
  gradients: [[-1, Math.log(1e5), Math.log(1e5), Math.log(1e5), nan, -(Math.log(0.50001) + 0.5 / 0.50001)]],
  rtol: 1e-5,
  atol: 2e-5,
});
checkArguments('entropy', entropy, { p: 'f32 2x3' }, { options: {} });

run();
