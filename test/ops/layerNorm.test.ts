import * as reference from '../../reference/index.ts';
import { layerNorm } from '../../src/ops/layerNorm.ts';
import { empty } from '../../src/tensor.ts';
import { run } from '../harness.ts';
import { checkArguments, checkOp, checkRefusals, checkValues, nan, rows } from './check.ts';

for (const eps of [undefined, 0.1])
  checkOp(
    `layerNorm with eps ${eps}`,
    (x, weight, bias) => layerNorm(x!, { weight: weight!, bias: bias!, ...(eps && { eps }) }),
    (x, weight, bias) => reference.layerNorm(x!, weight!, bias!, { eps: eps ?? 1e-5 }),
    {
      shapes: ['1x2 2 2', '63x7 7 7', '65x64 64 64', '3x130 130 130', '2x3x5 5 5', '4x3x5 3x5 3x5', '9 9 9'],
      rtol: 2e-5,
      atol: 5e-6,
      gradientTolerance: 5e-4,
    },
  );

checkValues(
  'layerNorm keeps the variance of numbers far from 0, and gives the bias where all are equal',
  (x, weight, bias) => layerNorm(x!, { weight: weight!, bias: bias!, eps: 0.25 }),
  {
    inputs: [rows([10000, 10001, 10002, 10003], [7, 7, 7, 7]), [1, 1, 1, 2], [0, 0, 0, 5]],
    y: [...[-1.5, -0.5, 0.5, 3].map((v) => v / Math.sqrt(1.5)), 0, 0, 0, 5].map((v, i) => (i === 3 ? v + 5 : v)),
    rtol: 1e-6,
  },
);
checkValues(
  'layerNorm passes NaN on within its row only',
  (x, weight, bias) => layerNorm(x!, { weight: weight!, bias: bias! }),
  { inputs: [rows([1, nan], [3, 3]), [1, 1], [0, 2]], y: [nan, nan, 0, 2] },
);
checkArguments('layerNorm', layerNorm, { x: 'f32 3x2' }, { options: { weight: 'f32 2', bias: 'f32 2' } });
checkRefusals('layerNorm', (gpu) => {
  const [x, two, three] = [empty(gpu, [3, 2]), empty(gpu, [2]), empty(gpu, [3])];
  return [
    [
      () => layerNorm(x, { weight: three, bias: three }),
      /layerNorm: weight is \[3\] but x is \[3,2\]; x must end with/,
    ],
    [() => layerNorm(x, { weight: two, bias: three }), /layerNorm: bias must be \[2\] but is \[3\]/],
    [() => layerNorm(x, { weight: two } as never), /layerNorm: bias is missing/],
    [() => layerNorm(x, { weight: two, bias: two, eps: -1 }), /eps must be a number >= 0 but is -1/],
  ];
});

run();
