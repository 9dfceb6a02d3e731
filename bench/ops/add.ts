import { binary } from '../../reference/index.ts';
import { add as op } from '../../src/ops/add.ts';
import { binaryBench } from '../harness/opBench.ts';

export const add = binaryBench('add', op, binary.add);
