import * as reference from '../../reference/index.ts';
import { avgPool2d as op } from '../../src/ops/avgPool2d.ts';
import { uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

/** Windows of 2 x 2. */
export const avgPool2d = opBench({
  bench: 'avg-pool2d',
  sizes: ({ quick, software }) => [[64, 64, 8, 8], ...(quick ? [] : [[software ? 128 : 1024, 16, 24, 24]])],
  inputs: (shape) => ({ x: uniform(shape) }),
  run: ({ x }) => [op(x, { kernelSize: 2 })],
  truth: ({ x }) => [reference.avgPool2d(x, { kernelSize: 2 }).data],
  gradients: {
    of: ['x'],
    truth: ({ x }, dy) => [reference.avgPool2dBackward(x.shape, dy, { kernelSize: 2 }).data],
  },
});
