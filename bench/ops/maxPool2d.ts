import * as reference from '../../reference/index.ts';
import { maxPool2d as op } from '../../src/ops/maxPool2d.ts';
import { sizeOf } from '../../src/shape.ts';
import { uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

/** Windows of 2 x 2, on rows that are a multiple of 8 pixels and on rows that are not. */
export const maxPool2d = opBench({
  bench: 'max-pool2d',
  sizes: ({ quick, software }) => [
    [64, 64, 8, 8],
    ...(quick
      ? []
      : [
          [software ? 128 : 1024, 16, 24, 24],
          [64, 16, 28, 28],
        ]),
  ],
  inputs: (shape) => ({ x: uniform(shape) }),
  run: ({ x }) => [op(x, { kernelSize: 2 })],
  truth: ({ x }) => [reference.maxPool2d(x, { kernelSize: 2 }).data],
  gradients: {
    of: ['x'],
    truth: ({ x }, dy) => {
      const { from } = reference.maxPool2d(x, { kernelSize: 2 });
      return [reference.maxPool2dBackward(x.shape, from, dy).data];
    },
    // It reads dy, a quarter of dx, and not x.
    bytes: (shape) => 5 * sizeOf(shape),
  },
});
