import * as reference from '../../reference/index.ts';
import { leakyRelu } from '../../src/ops/leakyRelu.ts';
import { empty } from '../../src/tensor.ts';
import { run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, checkValues, distinct, ELEMENTS, inf, nan } from './check.ts';

// No element is at the kink.
const off0: typeof distinct = (shape, random) => distinct(shape, random).map((v, _, { length }) => v + 0.3 / length);
for (const options of [{}, { negativeSlope: 0.2 }, { negativeSlope: -1.5 }, { negativeSlope: 0 }])
  checkOp('leakyRelu', leakyRelu, reference.leakyRelu, { shapes: ELEMENTS, fill: off0, step: 1e-5, options });

checkValues(
  'leakyRelu passes NaN on, and has the gradient of the negative side at 0 and at NaN',
  (x) => leakyRelu(x!, { negativeSlope: 0.25 }),
  {
    inputs: [[nan, -1, 0, 2, inf, -inf]],
    y: [nan, -0.25, 0, 2, inf, -inf],
    dy: [4, 4, 4, 4, 4, 4],
    gradients: [[1, 1, 1, 4, 4, 1]],
  },
);
checkArguments('leakyRelu', leakyRelu, { x: 'f32 2x2' }, { options: {} });
checkRefusals('leakyRelu', (gpu) => [
  [
    () => leakyRelu(empty(gpu, [1]), { negativeSlope: Number.NaN }),
    /leakyRelu: negativeSlope must be a finite number .* but is NaN/,
  ],
  [() => leakyRelu(empty(gpu, [1]), { negativeSlope: 1e39 }), /leakyRelu: negativeSlope must be .* but is 1e\+39/],
]);

run();
