import * as reference from '../../reference/index.ts';
import { rowNorm as op } from '../../src/ops/rowNorm.ts';
import { uniform } from '../harness/inputs.ts';
import { matrices, opBench } from '../harness/opBench.ts';

export const rowNorm = opBench({
  bench: 'row-norm',
  sizes: matrices,
  inputs: (shape) => ({ x: uniform(shape) }),
  run: ({ x }) => [op(x)],
  truth: ({ x }) => [reference.rowNorm(x).data],
});
