import * as reference from '../../reference/index.ts';
import { logSoftmax } from '../../src/ops/softmax.ts';
import { tensor } from '../../src/tensor.ts';
import { run } from '../harness.ts';
import { between, checkArguments, checkOp, checkRefusals, checkValues, inf, nan, rows } from './check.ts';

for (const temperature of [1, 0.1]) {
  checkOp('logSoftmax', logSoftmax, reference.logSoftmax, {
    options: { temperature },
    shapes: ['1', '3x4x5', '63x2', '64x10', '65x31', '3x64', '2x65', '2x1009'],
    fill: between(-2, 2),
    step: 1e-4 * temperature,
  });
}
for (const [dim, shapes] of [
  [0, ['2x3', '65x31']],
  [1, ['3x4x5', '2x10x8x8']],
  [-2, ['257x2']],
  [-3, ['3x4x5']],
] as const) {
  checkOp('logSoftmax', logSoftmax, reference.logSoftmax, { options: { dim, temperature: 0.5 }, shapes, step: 1e-5 });
}

checkValues(
  'logSoftmax of a difference beyond f32 that fits once divided by T',
  (x) => logSoftmax(x!, { temperature: 10 }),
  {
    inputs: [[3e38, -3e38]],
    y: [0, -6e37],
    rtol: 1e-6,
  },
);
const [l2, l3] = [-Math.log(2), -Math.log(3)];
checkValues(
  'logSoftmax of logits of 1e4 at T = 0.01, equal rows and -infinity',
  (x) => logSoftmax(x!, { temperature: 0.01 }),
  {
    inputs: [rows([1e4, -1e4, 0], [-1e4, -1e4, -1e4], [-inf, 0, 0])],
    y: [0, -2e6, -1e6, l3, l3, l3, -inf, l2, l2],
    gradients: [[-200, 100, 100, 0, 0, 0, 100, -50, -50]],
    rtol: 1e-5,
    atol: 1e-4,
  },
);
checkValues('logSoftmax makes a row NaN that holds NaN or infinity, or only -infinity', (x) => logSoftmax(x!), {
  inputs: [rows([0, nan, 0], [inf, 0, 0], [-inf, -inf, -inf], [0, 0, 0])],
  y: [...new Array(9).fill(nan), l3, l3, l3],
  gradients: [[...new Array(9).fill(nan), 0, 0, 0]],
  rtol: 1e-6,
  atol: 1e-6,
});

checkArguments('logSoftmax', logSoftmax, { x: 'f32 2x2' }, { options: {} });
checkRefusals('logSoftmax', (gpu) => [
  [() => logSoftmax(tensor(gpu, [1, 2]), { temperature: 0 }), /logSoftmax: temperature must be/],
  [() => logSoftmax(tensor(gpu, 1), { dim: 1 }), /logSoftmax: dim is 1, but x is \[\]/],
  [() => logSoftmax(tensor(gpu, 1), { axis: 0 } as never), /unknown option axis; did you mean dim\?/],
]);

run();
