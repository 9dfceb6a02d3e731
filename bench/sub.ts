import { sub as op } from '../src/ops/sub.ts';
import { binaryBench } from './harness/opBench.ts';

export const sub = binaryBench('sub', op, (a, b) => a - b, [() => 1, () => -1]);
