import * as reference from '../../reference/index.ts';
import { complementEntropyLoss } from '../../src/adaptation/losses.ts';
import { complementEntropy } from '../../src/ops/complementEntropy.ts';
import { tensor } from '../../src/tensor.ts';
import { integers, run } from '../harness.ts';
import { between, checkArguments, checkOp, checkRefusals, checkValues, nan, rows } from './check.ts';

checkOp(
  'complementEntropy',
  (logits, labels, weight) => complementEntropyLoss(logits!, labels!, weight!),
  (logits, labels, weight) => reference.complementEntropy(logits!, labels!, weight!).loss,
  {
    shapes: ['1x3', '65x10', '9x131'],
    fill: between(-4, 4),
    extra: ([shape], random) => [integers(shape![0]!, shape![1]!, random), between(0.1, 1)([shape![1]!], random)],
    backward: (dy, logits, labels, weight) => [
      reference.mul(reference.complementEntropy(logits!, labels!, weight!).dlogits, dy),
    ],
  },
);

checkValues(
  'complementEntropy is -1 for an even spread; a label that is certain or out of range, and NaN, stay in their rows',
  (p, labels) => complementEntropy(p!, labels!).loss,
  {
    inputs: [
      rows([0.5, 0.25, 0.25], [1, 0, 0], [0.2, 0.3, 0.5], [nan, 0.5, 0.5], [0, 1, 0]),
      Uint32Array.of(0, 0, 3, 1, 0),
    ],
    y: [-1, 0, nan, nan, 0],
    rtol: 1e-5,
    atol: 1e-5,
  },
);
checkArguments('complementEntropy', complementEntropy, { p: 'f32 2x3', labels: 'u32 2' });
checkRefusals('complementEntropy', (gpu) => [
  [
    () => complementEntropy(tensor(gpu, rows([0.5, 0.5])), tensor(gpu, Uint32Array.of(0))),
    /p has 2 classes, but at least 3 are needed/,
  ],
]);

run();
