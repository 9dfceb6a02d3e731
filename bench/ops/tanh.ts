import { unary } from '../../reference/index.ts';
import { tanh as op } from '../../src/ops/tanh.ts';
import { unaryBench } from '../harness/opBench.ts';

export const tanh = unaryBench('tanh', op, unary.tanh);
