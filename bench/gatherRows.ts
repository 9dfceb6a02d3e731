import { gatherRows as op } from '../src/ops/gatherRows.ts';
import { integers, uniform } from './harness/inputs.ts';
import { matrixOf, opBench } from './harness/opBench.ts';

export const gatherRows = opBench({
  bench: 'gather-rows',
  shapes: () => [[1024, 31]],
  inputs: (shape) => ({ x: uniform(shape), index: integers([matrixOf(shape).rows], matrixOf(shape).rows) }),
  run: ({ x, index }) => [op(x, index)],
  truth: ({ x, index }, shape) => {
    const { cols, size } = matrixOf(shape);
    return [
      Float64Array.from({ length: size }, (_, i) => x.data[index.data[Math.floor(i / cols)]! * cols + (i % cols)]!),
    ];
  },
  gradients: {
    of: ['x'],
    truth: ({ index }, dy, shape) => {
      const { cols, size } = matrixOf(shape);
      const dx = new Float64Array(size);
      for (let i = 0; i < size; i++) dx[index.data[Math.floor(i / cols)]! * cols + (i % cols)]! += dy[i]!;
      return [dx];
    },
  },
});
