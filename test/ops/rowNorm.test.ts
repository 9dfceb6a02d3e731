import * as reference from '../../reference/index.ts';
import { rowNorm } from '../../src/ops/rowNorm.ts';
import { run } from '../harness.ts';
import { checkArguments, checkOp, checkValues, nan, rows } from './check.ts';

checkOp('rowNorm', rowNorm, reference.rowNorm, { shapes: ['1x1', '65x10', '9x131'] });

checkValues('rowNorm of zeros has no gradient, and NaN stays in its row', rowNorm, {
  inputs: [rows([3, 4], [0, 0], [nan, 1])],
  y: [5, 0, nan],
  gradients: [[0.6, 0.8, 0, 0, nan, nan]],
  rtol: 1e-6,
});
checkArguments('rowNorm', rowNorm, { x: 'f32 2x3' });

run();
