import * as reference from '../../reference/index.ts';
import { slice as op } from '../../src/ops/slice.ts';
import { uniform } from '../harness/inputs.ts';
import { matrices, opBench } from '../harness/opBench.ts';

/** Rows from the second on. No view can begin there, so they are copied, and their gradient is padded with zeros. */
export const slice = opBench({
  bench: 'slice',
  sizes: matrices,
  inputs: (shape) => ({ x: uniform(shape) }),
  run: ({ x }) => [op(x, 1, x.shape[0]!)],
  truth: ({ x }, [rows]) => [reference.slice(x, 1, rows).data],
  gradients: {
    of: ['x'],
    truth: (_, dy, [rows, cols]) => {
      const dx = new Float64Array(rows * cols);
      dx.set(dy, cols);
      return [dx];
    },
  },
});
