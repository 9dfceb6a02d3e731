import { softmax as op } from '../src/ops/softmax.ts';
import { uniform } from './harness/inputs.ts';
import { matrices, opBench } from './harness/opBench.ts';
import * as reference from './harness/reference.ts';

export const softmax = opBench({
  bench: 'softmax',
  shapes: matrices,
  inputs: (shape) => ({ x: uniform(shape, { scale: 4 }) }),
  run: ({ x }) => [op(x)],
  truth: ({ x }, shape) => [reference.softmax(x.data, shape[1]!)],
  gradients: {
    of: ['x'],
    truth: ({ x }, dy, shape) => [reference.softmaxBackward(reference.softmax(x.data, shape[1]!), dy, shape[1]!)],
  },
});
