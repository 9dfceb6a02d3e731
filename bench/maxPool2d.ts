import * as reference from '../reference/index.ts';
import { maxPool2d as op } from '../src/ops/maxPool2d.ts';
import type { Bench } from './harness/case.ts';
import { uniform, wanted } from './harness/inputs.ts';
import { kernelCase } from './harness/kernelCase.ts';

/** Halves of images whose rows fill vectors, and of images whose rows do not. */
export const maxPool2d: Bench = ({ quick, software }) => {
  const shapes = [
    [64, 64, 8, 8],
    ...(quick
      ? []
      : [
          [software ? 128 : 1024, 16, 24, 24],
          [64, 16, 28, 28],
        ]),
  ];
  return shapes.flatMap((shape) => {
    const [n, c, h, w] = shape as [number, number, number, number];
    const size = n * c * h * w;
    return [
      kernelCase({
        bench: 'max-pool2d',
        shape: shape.join('x'),
        inputs: () => ({ x: uniform(shape) }),
        run: ({ x }) => [op(x, { kernelSize: 2 })],
        truth: ({ x }) => [reference.maxPool2d(x, { kernelSize: 2 }).data],
        bytes: 5 * size,
      }),
      kernelCase({
        bench: 'max-pool2d-backward',
        shape: shape.join('x'),
        inputs: () => ({ x: wanted(uniform(shape)) }),
        run: ({ x }) => [op(x, { kernelSize: 2 })],
        truth: ({ x }, dy) => {
          const { from } = reference.maxPool2d(x, { kernelSize: 2 });
          return [reference.maxPool2dBackward(x.shape, from, dy).data];
        },
        bytes: 5 * size,
      }),
    ];
  });
};
