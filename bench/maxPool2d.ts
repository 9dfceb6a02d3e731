import { maxPool2d as op } from '../src/ops/maxPool2d.ts';
import type { Bench } from './harness/case.ts';
import { uniform, wanted } from './harness/inputs.ts';
import { kernelCase } from './harness/kernelCase.ts';
import * as reference from './harness/reference.ts';

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
    const pooled = (x: Float32Array) => reference.maxPool2(x, n * c, h, w);
    return [
      kernelCase({
        bench: 'max-pool2d',
        shape: shape.join('x'),
        inputs: () => ({ x: uniform(shape) }),
        run: ({ x }) => [op(x, { kernelSize: 2 })],
        truth: ({ x }) => [pooled(x.data).y],
        bytes: 5 * size,
      }),
      kernelCase({
        bench: 'max-pool2d-backward',
        shape: shape.join('x'),
        inputs: () => ({ x: wanted(uniform(shape)) }),
        run: ({ x }) => [op(x, { kernelSize: 2 })],
        truth: ({ x }, dy) => [reference.maxPool2Backward(pooled(x.data).from, dy, size)],
        bytes: 5 * size,
      }),
    ];
  });
};
