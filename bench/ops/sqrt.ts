import { unary } from '../../reference/index.ts';
import { sqrt as op } from '../../src/ops/sqrt.ts';
import { unaryBench } from '../harness/opBench.ts';

export const sqrt = unaryBench('sqrt', op, unary.sqrt, (x) => ({ ...x, data: x.data.map((v) => Math.abs(v) + 0.1) }));
