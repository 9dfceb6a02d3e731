import { mul as op } from '../src/ops/mul.ts';
import { binaryBench } from './harness/opBench.ts';

export const mul = binaryBench('mul', op, (a, b) => a * b, [(_, b) => b, (a) => a]);
