import { max as op } from '../src/ops/max.ts';
import { uniform } from './harness/inputs.ts';
import { matrices, opBench } from './harness/opBench.ts';

export const max = opBench({
  bench: 'max',
  shapes: matrices,
  inputs: (shape) => ({ x: uniform(shape) }),
  run: ({ x }) => [op(x, { dim: -1 })],
  truth: ({ x }, shape) => {
    const [rows, cols] = shape as [number, number];
    return [Float64Array.from({ length: rows }, (_, r) => Math.max(...x.data.subarray(r * cols, (r + 1) * cols)))];
  },
});
