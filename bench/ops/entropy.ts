import * as reference from '../../reference/index.ts';
import { entropy as op } from '../../src/ops/entropy.ts';
import { probabilities } from '../harness/inputs.ts';
import { matrices, opBench } from '../harness/opBench.ts';

export const entropy = opBench({
  bench: 'entropy',
  sizes: matrices,
  inputs: (shape) => ({ p: probabilities(shape) }),
  run: ({ p }) => [op(p)],
  truth: ({ p }) => [reference.entropy(p).data],
  gradients: {
    of: ['p'],
    truth: ({ p }, dy, [n]) => [reference.entropyBackward(p, { shape: [n!], data: dy }).data],
  },
});
