import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { binaryCrossEntropy } from '../../src/ops/binaryCrossEntropy.ts';
import { empty, type Tensor, tensor } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';
import { between, checkArguments, checkOp, checkRefusals, checkValues, nan } from './check.ts';

for (const reduction of ['mean', 'sum', 'none'] as const) {
  for (const weighted of [false, true]) {
    checkOp(
      `binaryCrossEntropy ${reduction}${weighted ? ', weighted,' : ''}`,
      (p, target, weight) => binaryCrossEntropy(p!, target!, { reduction, ...(weighted && { weight: weight! }) }),
      (p, target, weight) => reference.binaryCrossEntropy(p!, target!, { reduction, ...(weighted && { weight }) }),
      {
        shapes: ['1', '63', '64', '65', '5003'],
        fill: between(0.02, 0.98),
        extra: ([shape], random) => [
          // PyTorch allows targets between 0 and 1 too.
          between(-0.5, 1.5)(shape!, random).map((t) => Math.min(1, Math.max(0, t))),
          between(0, 1)(shape!, random),
        ],
        atol: 1e-5,
        step: 1e-5,
      },
    );
  }
}

/** The targets of known values: constants, so that only p has a gradient. */
const against = (targets: number[]) => (p?: Tensor) =>
  binaryCrossEntropy(p!, tensor(p!.gpu, targets), { reduction: 'none' });

checkValues(
  'binaryCrossEntropy clamps the logarithm at -100, and gives NaN for what is no probability',
  against([1, 0, 0, 1, 0, 0, 1, nan]),
  {
    inputs: [[0, 1, 0, 1, nan, 1.5, -0.5, 0.5]],
    y: [100, 100, 0, 0, nan, nan, nan, nan],
    rtol: 1e-6,
  },
);
checkValues("binaryCrossEntropy has PyTorch's gradient at 0 and 1, and passes NaN on", against([1, 0, 0, 1, 0, nan]), {
  inputs: [[0, 1, 0, 1, nan, 0.5]],
  gradients: [[-1e12, 1e12, 0, 0, nan, nan]],
  rtol: 1e-6,
});
const tiny = [1e-45, 1e-44, 1e-40, 2 ** -126, 1e-30];
checkValues('binaryCrossEntropy keeps the logarithms of numbers below 2^-126', against(tiny.map(() => 1)), {
  inputs: [tiny],
  y: tiny.map((p) => Math.min(-Math.log(Math.fround(p)), 100)),
  rtol: 1e-6,
});

gpuTest('binaryCrossEntropy of nothing is NaN as a mean and 0 as a sum', async (gpu) => {
  const none = empty(gpu, [0]);
  const [mean, sum] = [binaryCrossEntropy(none, none), binaryCrossEntropy(none, none, { reduction: 'sum' })];
  assert.equal([await mean.item(), await sum.item()], [nan, 0]);
  for (const held of [none, mean, sum]) held.dispose();
});

checkArguments('binaryCrossEntropy', binaryCrossEntropy, { p: 'f32 2x2', target: 'f32 2x2' }, { options: {} });
checkRefusals('binaryCrossEntropy', (gpu) => {
  const p = tensor(gpu, [0.5, 0.5]);
  return [
    [() => binaryCrossEntropy(p, tensor(gpu, [1])), /target must be \[2\] but is \[1\]/],
    [
      () => binaryCrossEntropy(p, p, { reduction: 'none ' as 'none' }),
      /reduction must be one of 'mean', 'sum', 'none' but is 'none '/,
    ],
    [() => binaryCrossEntropy(p, p, { weight: tensor(gpu, [1]) }), /weight must be \[2\] but is \[1\]/],
  ];
});

run();
