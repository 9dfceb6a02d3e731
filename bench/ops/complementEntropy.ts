import * as reference from '../../reference/index.ts';
import { complementEntropy as op } from '../../src/ops/complementEntropy.ts';
import { integers, probabilities } from '../harness/inputs.ts';
import { matrices, opBench } from '../harness/opBench.ts';

export const complementEntropy = opBench({
  bench: 'complement-entropy',
  sizes: matrices,
  inputs: (shape) => ({
    p: probabilities(shape),
    labels: integers([shape[0]!], shape[1]!),
  }),
  run: ({ p, labels }) => [op(p, labels).loss],
  truth: ({ p, labels }) => [reference.complementEntropyRows(p, labels).y.data],
});
