import * as reference from '../../reference/index.ts';
import { sum as op } from '../../src/ops/sum.ts';
import { uniform } from '../harness/inputs.ts';
import { matrices, opBench } from '../harness/opBench.ts';

export const sum = opBench({
  bench: 'sum',
  sizes: matrices,
  inputs: (shape) => ({ x: uniform(shape) }),
  run: ({ x }) => [op(x, { dim: -1 }), op(x, { dim: 0 }), op(x)],
  truth: ({ x }) => [reference.sum(x, { dim: -1 }).data, reference.sum(x, { dim: 0 }).data, reference.sum(x).data],
});
