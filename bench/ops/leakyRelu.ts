import { unary } from '../../reference/index.ts';
import { leakyRelu as op } from '../../src/ops/leakyRelu.ts';
import { unaryBench } from '../harness/opBench.ts';

export const leakyRelu = unaryBench('leaky-relu', op, unary.leakyRelu);
