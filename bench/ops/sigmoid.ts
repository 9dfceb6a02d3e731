import { unary } from '../../reference/index.ts';
import { sigmoid as op } from '../../src/ops/sigmoid.ts';
import { unaryBench } from '../harness/opBench.ts';

export const sigmoid = unaryBench('sigmoid', op, unary.sigmoid);
