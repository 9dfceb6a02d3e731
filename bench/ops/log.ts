import { unary } from '../../reference/index.ts';
import { log as op } from '../../src/ops/log.ts';
import { unaryBench } from '../harness/opBench.ts';

/** Positive numbers. */
export const log = unaryBench('log', op, unary.log, (x) => ({ ...x, data: x.data.map((v) => Math.abs(v) + 0.1) }));
