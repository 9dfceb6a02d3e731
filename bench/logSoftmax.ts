import { logSoftmax as op } from '../src/ops/logSoftmax.ts';
import { uniform } from './harness/inputs.ts';
import { matrices, opBench } from './harness/opBench.ts';
import * as reference from './harness/reference.ts';

export const logSoftmax = opBench({
  bench: 'log-softmax',
  shapes: matrices,
  inputs: (shape) => ({ x: uniform(shape, { scale: 4 }) }),
  run: ({ x }) => [op(x)],
  truth: ({ x }, shape) => [reference.softmax(x.data, shape[1]!).map(Math.log)],
  gradients: {
    of: ['x'],
    // dx = dy - softmax(x) sum of the row's dy
    truth: ({ x }, dy, shape) => {
      const cols = shape[1]!;
      const sums = reference.rowSums(dy, cols);
      return [reference.softmax(x.data, cols).map((p, i) => dy[i]! - p * sums[Math.floor(i / cols)]!)];
    },
  },
});
