import { exp as op } from '../src/ops/exp.ts';
import { unaryBench } from './harness/opBench.ts';

export const exp = unaryBench('exp', op, Math.exp, Math.exp);
