import { tanh as op } from '../src/ops/tanh.ts';
import { unaryBench } from './harness/opBench.ts';

export const tanh = unaryBench('tanh', op, Math.tanh, (x) => 1 - Math.tanh(x) ** 2);
