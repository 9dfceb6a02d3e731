import { unary } from '../../reference/index.ts';
import { abs as op } from '../../src/ops/abs.ts';
import { unaryBench } from '../harness/opBench.ts';

export const abs = unaryBench('abs', op, unary.abs);
