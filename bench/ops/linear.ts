import * as reference from '../../reference/index.ts';
import { linear as op } from '../../src/ops/linear.ts';
import { uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

type Size = [n: number, inputs: number, outputs: number];

// The linear layers of this project's networks.
const SIZES: Size[] = [
  [64, 1024, 128],
  [128, 512, 128],
  [64, 128, 10],
];
const flops = ([n, inputs, outputs]: Size): number => 2 * n * inputs * outputs;

export const linear = opBench({
  bench: 'linear',
  sizes: ({ quick }) => (quick ? SIZES.slice(0, 1) : SIZES),
  inputs: ([n, inputs, outputs]) => ({
    x: uniform([n, inputs]),
    weight: uniform([outputs, inputs], { seed: 2 }),
    bias: uniform([outputs], { seed: 3 }),
  }),
  run: ({ x, weight, bias }) => [op(x, weight, bias)],
  truth: ({ x, weight, bias }) => [reference.linear(x, weight, bias).data],
  flops,
  gradients: {
    of: ['x', 'weight', 'bias'],
    truth: ({ x, weight }, dy, [n, , outputs]) => {
      const { dx, dweight, dbias } = reference.linearBackward(x, weight, { shape: [n, outputs], data: dy });
      return [dx.data, dweight.data, dbias.data];
    },
    flops: (size) => 2 * flops(size),
  },
});
