import { relu as op } from '../src/ops/relu.ts';
import { unaryBench } from './harness/opBench.ts';

export const relu = unaryBench(
  'relu',
  op,
  (x) => Math.max(x, 0),
  (x) => (x > 0 ? 1 : 0),
);
