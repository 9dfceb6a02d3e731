import * as reference from '../../reference/index.ts';
import { max as op } from '../../src/ops/max.ts';
import { uniform } from '../harness/inputs.ts';
import { matrices, opBench } from '../harness/opBench.ts';

export const max = opBench({
  bench: 'max',
  sizes: matrices,
  inputs: (shape) => ({ x: uniform(shape) }),
  run: ({ x }) => [op(x, { dim: -1 })],
  truth: ({ x }) => [reference.max(x, { dim: -1 }).data],
});
