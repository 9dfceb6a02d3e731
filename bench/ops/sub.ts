import { binary } from '../../reference/index.ts';
import { sub as op } from '../../src/ops/sub.ts';
import { binaryBench } from '../harness/opBench.ts';

export const sub = binaryBench('sub', op, binary.sub);
