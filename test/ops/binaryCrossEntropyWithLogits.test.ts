import * as reference from '../../reference/index.ts';
import { binaryCrossEntropyWithLogits } from '../../src/ops/binaryCrossEntropyWithLogits.ts';
import { empty, type Tensor, tensor } from '../../src/tensor.ts';
import { run } from '../harness.ts';
import { between, checkArguments, checkOp, checkRefusals, checkValues, nan } from './check.ts';

for (const reduction of ['mean', 'sum', 'none'] as const) {
  for (const weighted of [false, true]) {
    checkOp(
      `binaryCrossEntropyWithLogits ${reduction}${weighted ? ', weighted,' : ''}`,
      (x, target, weight, posWeight) =>
        binaryCrossEntropyWithLogits(x!, target!.view(x!.shape), {
          reduction,
          ...(weighted && { weight: weight!.view(x!.shape), posWeight: posWeight! }),
        }),
      (x, target, weight, posWeight) =>
        reference.binaryCrossEntropyWithLogits(x!, target!, { reduction, ...(weighted && { weight, posWeight }) }),
      {
        shapes: ['1', '63', '65', '5x7', '700x3'],
        fill: between(-6, 6),
        extra: ([shape], random) => {
          const size = [shape!.reduce((a, n) => a * n, 1)];
          return [
            between(-0.5, 1.5)(size, random).map((t) => Math.min(1, Math.max(0, t))),
            between(0, 1)(size, random),
            between(0.5, 4)([shape!.at(-1)!], random),
          ];
        },
        atol: 1e-5,
      },
    );
  }
}

/** The targets of known values: constants, so that only x has a gradient. */
const against = (targets: number[]) => (x?: Tensor) =>
  binaryCrossEntropyWithLogits(x!, tensor(x!.gpu, targets), { reduction: 'none' });
const logits = [0, 20, 20, -20, -20, 80, 80, 1e30];
const targets = [1, 1, 0, 0, 1, 1, 0, 0];
checkValues('binaryCrossEntropyWithLogits keeps the digits of small losses and does not overflow', against(targets), {
  inputs: [logits],
  y: logits.map((v, i) => Math.log1p(Math.exp(-Math.abs(v))) + Math.max(targets[i] ? -v : v, 0)).map(Math.fround),
  rtol: 3e-6,
});
checkValues('binaryCrossEntropyWithLogits has the gradient sigmoid(x) - target', against(targets), {
  inputs: [logits],
  gradients: [[-0.5, -1 / (1 + Math.exp(20)), 1, 1 / (1 + Math.exp(20)), -1, -Math.exp(-80), 1, 1]],
  rtol: 3e-6,
});
checkValues('binaryCrossEntropyWithLogits passes NaN on', against([1, 0, nan]), {
  inputs: [[nan, nan, 1]],
  y: [nan, nan, nan],
  gradients: [[nan, nan, nan]],
});
checkArguments(
  'binaryCrossEntropyWithLogits',
  binaryCrossEntropyWithLogits,
  { x: 'f32 2x2', target: 'f32 2x2' },
  { options: {} },
);
checkRefusals('binaryCrossEntropyWithLogits', (gpu) => {
  const x = empty(gpu, [2, 3]);
  return [
    [() => binaryCrossEntropyWithLogits(x, empty(gpu, [2])), /target must be \[2,3\] but is \[2\]/],
    [() => binaryCrossEntropyWithLogits(x, x, { weight: empty(gpu, [3]) }), /weight must be \[2,3\] but is \[3\]/],
    [() => binaryCrossEntropyWithLogits(x, x, { posWeight: empty(gpu, [2]) }), /posWeight must be \[3\] but is \[2\]/],
  ];
});

run();
