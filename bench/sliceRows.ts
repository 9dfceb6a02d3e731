import * as reference from '../reference/index.ts';
import { sliceRows as op } from '../src/ops/sliceRows.ts';
import { uniform } from './harness/inputs.ts';
import { matrices, matrixOf, opBench } from './harness/opBench.ts';

/** Rows that begin where no view can: they are copied, and their gradient is padded with zeros. */
export const sliceRows = opBench({
  bench: 'slice-rows',
  shapes: matrices,
  inputs: (shape) => ({ x: uniform(shape) }),
  run: ({ x }) => [op(x, 1, x.shape[0]!)],
  truth: ({ x }, shape) => [reference.sliceRows(x, 1, shape[0]!).data],
  gradients: {
    of: ['x'],
    truth: (_, dy, shape) => {
      const { cols, size } = matrixOf(shape);
      const dx = new Float64Array(size);
      dx.set(dy, cols);
      return [dx];
    },
  },
});
