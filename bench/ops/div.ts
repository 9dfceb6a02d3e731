import { binary } from '../../reference/index.ts';
import { div as op } from '../../src/ops/div.ts';
import { binaryBench } from '../harness/opBench.ts';

/** Positive divisors. */
export const div = binaryBench('div', op, binary.div, (b) => ({ ...b, data: b.data.map((v) => Math.abs(v) + 0.1) }));
