import * as reference from '../../reference/index.ts';
import { transpose as op } from '../../src/ops/transpose.ts';
import { uniform } from '../harness/inputs.ts';
import { matrices, opBench } from '../harness/opBench.ts';

export const transpose = opBench({
  bench: 'transpose',
  sizes: matrices,
  inputs: (shape) => ({ x: uniform(shape) }),
  run: ({ x }) => [op(x, 0, 1)],
  truth: ({ x }) => [reference.transpose(x, 0, 1).data],
});
