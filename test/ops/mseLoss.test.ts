import * as reference from '../../reference/index.ts';
import { mseLoss } from '../../src/ops/mseLoss.ts';
import { empty } from '../../src/tensor.ts';
import { run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, checkValues, nan, rows } from './check.ts';

for (const reduction of ['mean', 'sum', 'none'] as const)
  checkOp(
    `mseLoss ${reduction}`,
    (x, target) => mseLoss(x!, target!, { reduction }),
    (x, target) => reference.mseLoss(x!, target!, { reduction }),
    { shapes: ['1 1', '63 63', '65 65', '7x11x13 7x11x13'], atol: 1e-5 },
  );

checkValues('mseLoss passes NaN on', (x, target) => mseLoss(x!, target!, { reduction: 'none' }), {
  inputs: rows([nan, 1, 3], [1, nan, 1]),
  y: [nan, nan, 4],
});
checkArguments('mseLoss', mseLoss, { x: 'f32 2x2', target: 'f32 2x2' }, { options: {} });
checkRefusals('mseLoss', (gpu) => [
  [() => mseLoss(empty(gpu, [2, 1]), empty(gpu, [2])), /mseLoss: target must be \[2,1\] but is \[2\]/],
]);

run();
