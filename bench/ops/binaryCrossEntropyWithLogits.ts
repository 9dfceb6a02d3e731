import * as reference from '../../reference/index.ts';
import { binaryCrossEntropyWithLogits as op } from '../../src/ops/binaryCrossEntropyWithLogits.ts';
import { uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

export const binaryCrossEntropyWithLogits = opBench({
  bench: 'binary-cross-entropy-with-logits',
  sizes: ({ quick }) => [[128, 1], ...(quick ? [] : [[65536, 1]])],
  inputs: (shape) => {
    const target = uniform(shape, { seed: 2 });
    return { x: uniform(shape, { scale: 4 }), target: { ...target, data: target.data.map((v) => Number(v > 0)) } };
  },
  run: ({ x, target }) => [op(x, target)],
  truth: ({ x, target }) => [reference.binaryCrossEntropyWithLogits(x, target).data],
});
