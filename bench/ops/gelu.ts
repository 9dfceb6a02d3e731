import { unary } from '../../reference/index.ts';
import { gelu as op } from '../../src/ops/gelu.ts';
import { unaryBench } from '../harness/opBench.ts';

export const gelu = unaryBench('gelu', op, unary.gelu);
