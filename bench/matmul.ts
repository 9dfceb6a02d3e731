import { matmul as op } from '../src/ops/matmul.ts';
import type { Bench, Case } from './harness/case.ts';
import { factored } from './harness/factored.ts';
import { uniform } from './harness/inputs.ts';
import { kernelCase } from './harness/kernelCase.ts';

/** Matrix products; those that are not square are what small networks have. */
export const matmul: Bench = ({ quick, software }) => {
  const squares = quick ? [256, 512] : software ? [256, 512, 1024] : [256, 512, 1024, 2048, 4096];
  const skinny: [m: number, k: number, n: number][] = [
    [64, 512, 128],
    [64, 128, 10],
    [331, 331, 331],
    [16, 1024, 1024],
  ];
  return [...skinny, ...squares.map((n): [number, number, number] => [n, n, n])].map(([m, k, n]) =>
    matmulCase(m, k, n),
  );
};

function matmulCase(m: number, k: number, n: number): Case {
  return kernelCase({
    bench: 'matmul',
    shape: `${m}x${k}x${n}`,
    inputs: () => ({ a: factored(m, k), b: uniform([k, n], { seed: 2 }) }),
    run: ({ a, b }) => [op(a, b)],
    truth: ({ a, b }) => [a.times(b.data)],
    flops: 2 * m * k * n,
    bytes: 4 * (m * k + k * n + m * n),
  });
}
