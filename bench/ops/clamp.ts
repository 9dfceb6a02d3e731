import { clamp as op } from '../../src/ops/clamp.ts';
import { unaryBench } from '../harness/opBench.ts';

export const clamp = unaryBench('clamp', (x) => op(x, { min: -1, max: 1 }), {
  f: (x) => Math.min(Math.max(x, -1), 1),
  slope: (x) => Number(Math.abs(x) <= 1),
});
