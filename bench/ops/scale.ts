import { scale as op } from '../../src/ops/scale.ts';
import { unaryBench } from '../harness/opBench.ts';

export const scale = unaryBench('scale', (x) => op(x, 0.75), { f: (x) => 0.75 * x, slope: () => 0.75 });
