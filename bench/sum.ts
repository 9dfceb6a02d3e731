import { sum as op } from '../src/ops/sum.ts';
import { uniform } from './harness/inputs.ts';
import { matrices, opBench } from './harness/opBench.ts';
import * as reference from './harness/reference.ts';

export const sum = opBench({
  bench: 'sum',
  shapes: matrices,
  inputs: (shape) => ({ x: uniform(shape) }),
  run: ({ x }) => [op(x, { dim: -1 }), op(x, { dim: 0 }), op(x)],
  truth: ({ x }, shape) => [
    reference.rowSums(x.data, shape[1]!),
    reference.columnSums(x.data, shape[1]!),
    reference.rowSums(x.data, x.data.length),
  ],
});
