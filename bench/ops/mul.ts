import { binary } from '../../reference/index.ts';
import { mul as op } from '../../src/ops/mul.ts';
import { binaryBench } from '../harness/opBench.ts';

export const mul = binaryBench('mul', op, binary.mul);
