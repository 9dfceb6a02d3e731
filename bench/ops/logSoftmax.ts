import * as reference from '../../reference/index.ts';
import { logSoftmax as op } from '../../src/ops/softmax.ts';
import { uniform } from '../harness/inputs.ts';
import { matrices, opBench } from '../harness/opBench.ts';

export const logSoftmax = opBench({
  bench: 'log-softmax',
  sizes: matrices,
  inputs: (shape) => ({ x: uniform(shape, { scale: 4 }) }),
  run: ({ x }) => [op(x)],
  truth: ({ x }) => [reference.logSoftmax(x).data],
  gradients: {
    of: ['x'],
    truth: ({ x }, dy, shape) => [reference.logSoftmaxBackward(x, { shape, data: dy }).data],
  },
});
