import * as reference from '../../reference/index.ts';
import { binaryCrossEntropy as op } from '../../src/ops/binaryCrossEntropy.ts';
import { uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

export const binaryCrossEntropy = opBench({
  bench: 'binary-cross-entropy',
  sizes: ({ quick }) => [[128, 1], ...(quick ? [] : [[65536, 1]])],
  inputs: (shape) => {
    // p is in [0.1, 0.9], target is 0 or 1.
    const p = uniform(shape, { scale: 0.4 });
    const target = uniform(shape, { seed: 2 });
    return {
      p: { ...p, data: p.data.map((v) => v + 0.5) },
      target: { ...target, data: target.data.map((v) => Number(v > 0)) },
    };
  },
  run: ({ p, target }) => [op(p, target)],
  truth: ({ p, target }) => [reference.binaryCrossEntropy(p, target).data],
  gradients: {
    of: ['p'],
    truth: ({ p, target }, [dloss]) => [reference.binaryCrossEntropyBackward(p, target).data.map((g) => g * dloss!)],
  },
});
