import * as reference from '../../reference/index.ts';
import { softmax as op } from '../../src/ops/softmax.ts';
import { uniform } from '../harness/inputs.ts';
import { matrices, opBench } from '../harness/opBench.ts';

export const softmax = opBench({
  bench: 'softmax',
  sizes: matrices,
  inputs: (shape) => ({ x: uniform(shape, { scale: 4 }) }),
  run: ({ x }) => [op(x)],
  truth: ({ x }) => [reference.softmax(x).data],
  gradients: {
    of: ['x'],
    truth: ({ x }, dy, shape) => [reference.softmaxBackward(reference.softmax(x), { shape, data: dy }).data],
  },
});
