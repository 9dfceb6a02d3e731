import * as reference from '../../reference/index.ts';
import { max } from '../../src/ops/max.ts';
import { empty } from '../../src/tensor.ts';
import { run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, checkValues, distinct, inf, nan, rows } from './check.ts';

for (const [dim, shapes] of [
  [undefined, ['()', '1', '65', '70001', '3x4x5']],
  [0, ['()', '1', '70001', '3x4x5', '64x31', '1009x10']],
  [1, ['3x4x5', '64x31', '2x300x3', '3x5000']],
  [-1, ['65', '3x4x5', '1009x10']],
] as const) {
  for (const keepdim of [false, true]) {
    const options = { ...(dim !== undefined && { dim }), keepdim };
    checkOp('max', max, reference.max, {
      options,
      shapes: keepdim ? shapes.filter((shape) => /^(3x4x5|\(\))$/.test(shape)) : shapes,
      fill: distinct,
      step: 1e-7,
    });
  }
}

const ties = rows([1, 3, 3], [3, 0, -1]);
checkValues('max along a dimension gives the gradient of ties to the first: rows', (x) => max(x!, { dim: 1 }), {
  inputs: [ties],
  y: [3, 3],
  dy: [6, 7],
  gradients: [[0, 6, 0, 7, 0, 0]],
});
checkValues('max along a dimension gives the gradient of ties to the first: columns', (x) => max(x!, { dim: 0 }), {
  inputs: [ties],
  y: [3, 3, 3],
  dy: [6, 7, 8],
  gradients: [[0, 7, 8, 6, 0, 0]],
});
checkValues('max of all spreads the gradient of ties evenly', (x) => max(x!), {
  inputs: [ties],
  y: [3],
  dy: [6],
  gradients: [[0, 2, 2, 2, 0, 0]],
});

const extremes = rows([nan, 9, nan], [-inf, -inf, -inf]);
checkValues('max takes NaN for the largest and -infinity for a number', (x) => max(x!, { dim: 1 }), {
  inputs: [extremes],
  y: [nan, -inf],
  dy: [6, 7],
  gradients: [[6, 0, 0, 7, 0, 0]],
});
checkValues('max of all spreads the gradient over every NaN', (x) => max(x!), {
  inputs: [extremes],
  y: [nan],
  dy: [6],
  gradients: [[3, 0, 3, 0, 0, 0]],
});

checkArguments('max', max, { x: 'f32 2x2' }, { options: {} });
checkRefusals('max', (gpu) => {
  const none = empty(gpu, [0, 3]);
  return [
    [() => max(none), /max: x is \[0,3\], which has no elements to choose from/],
    [() => max(none, { dim: 0 }), /which has no elements to choose from/],
    [() => max(none, { dim: 2 }), /max: dim is 2/],
  ];
});

run();
