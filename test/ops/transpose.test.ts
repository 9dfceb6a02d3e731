import * as reference from '../../reference/index.ts';
import { transpose } from '../../src/ops/transpose.ts';
import { tensor } from '../../src/tensor.ts';
import { run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, checkValues, nan } from './check.ts';

for (const [shape, dim0, dim1] of [
  ['5', 0, 0],
  ['3x65', 0, 1],
  ['2x3x5', 0, 2],
  ['2x3x5', 1, -1],
  ['2x3x5x7', -3, 3],
  ['2x3x5x7x3', 1, 3],
  ['4x3', 1, 1],
] as const)
  checkOp(
    `transpose of ${dim0} and ${dim1}`,
    (x) => transpose(x!, dim0, dim1),
    (x) => reference.transpose(x!, dim0, dim1),
    { shapes: [shape] },
  );

checkValues('transpose copies labels and NaN as they are', (x) => transpose(x!, 0, 1), {
  inputs: [
    [
      [1, nan],
      [3, 4],
    ],
  ],
  y: [1, 3, nan, 4],
});
checkArguments('transpose', transpose, { x: 'f32 2x2' }, { more: [0, 1], anyType: true });
checkRefusals('transpose', (gpu) => [
  [
    () => transpose(tensor(gpu, [[1, 2]]), 0, 2),
    /transpose: dim is 2, but x is \[1,2\]; it must be a whole number from -2 to 1/,
  ],
  [() => transpose(tensor(gpu, [1]), undefined as never, 0), /transpose: dim is undefined/],
]);

run();
