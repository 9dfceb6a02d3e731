import { relu as op } from '../src/ops/relu.ts';
import type { Bench } from './harness/case.ts';
import { uniform, wanted } from './harness/inputs.ts';
import { kernelCase } from './harness/kernelCase.ts';

export const relu: Bench = ({ quick, software }) =>
  [2 ** 16, ...(quick ? [] : [software ? 2 ** 22 : 2 ** 25])].flatMap((size) => [
    kernelCase({
      bench: 'relu',
      shape: `${size}`,
      inputs: () => ({ x: uniform([size]) }),
      run: ({ x }) => [op(x)],
      truth: ({ x }) => [x.data.map((v) => Math.max(v, 0))],
      bytes: 8 * size,
    }),
    kernelCase({
      bench: 'relu-backward',
      shape: `${size}`,
      inputs: () => ({ x: wanted(uniform([size])) }),
      run: ({ x }) => [op(x)],
      truth: ({ x }, dy) => [dy.map((v, i) => (x.data[i]! > 0 ? v : 0))],
      bytes: 12 * size,
    }),
  ]);
