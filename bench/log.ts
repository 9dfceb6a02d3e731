import { log as op } from '../src/ops/log.ts';
import { unaryBench } from './harness/opBench.ts';

export const log = unaryBench(
  'log',
  op,
  Math.log,
  (x) => 1 / x,
  (x) => ({ ...x, data: x.data.map((v) => Math.abs(v) + 0.1) }),
);
