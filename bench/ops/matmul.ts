import { matmul as op } from '../../src/ops/matmul.ts';
import { factored, uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

type Size = [m: number, k: number, n: number];

// The matrices of small networks, and of 16 rows.
const NARROW: Size[] = [
  [64, 512, 128],
  [64, 128, 10],
  [331, 331, 331],
  [16, 1024, 1024],
];

export const matmul = opBench({
  bench: 'matmul',
  sizes: ({ quick, software }) => {
    const squares = quick ? [256, 512] : software ? [256, 512, 1024] : [256, 512, 1024, 2048, 4096];
    return [...NARROW, ...squares.map((n): Size => [n, n, n])];
  },
  inputs: ([m, k, n]) => ({ a: factored(m, k), b: uniform([k, n], { seed: 2 }) }),
  run: ({ a, b }) => [op(a, b)],
  truth: ({ a, b }) => [a.times(b.data)],
  flops: ([m, k, n]) => 2 * m * k * n,
});
