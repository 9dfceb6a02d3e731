import { unary } from '../../reference/index.ts';
import { exp as op } from '../../src/ops/exp.ts';
import { unaryBench } from '../harness/opBench.ts';

export const exp = unaryBench('exp', op, unary.exp);
