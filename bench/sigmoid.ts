import { sigmoid as op } from '../src/ops/sigmoid.ts';
import { unaryBench } from './harness/opBench.ts';

const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));

export const sigmoid = unaryBench('sigmoid', op, sigmoidOf, (x) => sigmoidOf(x) * (1 - sigmoidOf(x)));
