import * as reference from '../../reference/index.ts';
import { batchNorm as op } from '../../src/ops/batchNorm.ts';
import { uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

/** Batch statistics of features [n, c], and of images [n, c, h, w]. */
export const batchNorm = opBench({
  bench: 'batch-norm',
  sizes: ({ quick, software }) => [[128, 128], ...(quick ? [] : [[software ? 16 : 64, 64, 28, 28]])],
  inputs: (shape) => {
    const c = shape[1]!;
    return {
      x: uniform(shape),
      weight: uniform([c], { seed: 2 }),
      bias: uniform([c], { seed: 3 }),
      // They stay 0, because the momentum is 0.
      runningMean: uniform([c], { scale: 0 }),
      runningVar: uniform([c], { scale: 0 }),
    };
  },
  run: ({ x, ...rest }) => [op(x, { ...rest, training: true, momentum: 0, eps: 1e-5 })],
  truth: ({ x, weight, bias }) => [reference.batchNorm(x, weight, bias).data],
  gradients: {
    of: ['x', 'weight', 'bias'],
    truth: ({ x, weight, bias }, dy) => {
      const { dx, dweight, dbias } = reference.batchNormBackward(reference.batchNorm(x, weight, bias), weight, dy);
      return [dx.data, dweight.data, dbias.data];
    },
  },
  tolerance: 2e-5,
});
