import { unary } from '../../reference/index.ts';
import { relu as op } from '../../src/ops/relu.ts';
import { unaryBench } from '../harness/opBench.ts';

export const relu = unaryBench('relu', op, unary.relu);
