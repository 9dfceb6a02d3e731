import * as reference from '../reference/index.ts';
import { batchNorm as op } from '../src/ops/batchNorm.ts';
import type { Bench } from './harness/case.ts';
import { uniform, wanted } from './harness/inputs.ts';
import { kernelCase } from './harness/kernelCase.ts';

/** Batch statistics of features, and of the channels of images. */
export const batchNorm: Bench = ({ quick, software }) => {
  const shapes = [[128, 128], ...(quick ? [] : [[software ? 16 : 64, 64, 28, 28]])];
  return shapes.flatMap((shape) => {
    const c = shape[1]!;
    const size = shape.reduce((a, b) => a * b, 1);
    const make = () => ({
      x: uniform(shape),
      weight: uniform([c], { seed: 2 }),
      bias: uniform([c], { seed: 3 }),
      // Zero, and left at it: the momentum is.
      runningMean: uniform([c], { scale: 0 }),
      runningVar: uniform([c], { scale: 0 }),
    });
    const shared = { shape: shape.join('x'), tolerance: 2e-5 };
    return [
      kernelCase({
        ...shared,
        bench: 'batch-norm',
        inputs: make,
        run: ({ x, ...rest }) => [op(x, { ...rest, training: true, momentum: 0, eps: 1e-5 })],
        truth: ({ x, weight, bias }) => [reference.batchNorm(x, weight, bias).data],
        bytes: 8 * size,
      }),
      kernelCase({
        ...shared,
        bench: 'batch-norm-backward',
        inputs: () => {
          const { x, weight, bias, ...rest } = make();
          return { x: wanted(x), weight: wanted(weight), bias: wanted(bias), ...rest };
        },
        run: ({ x, ...rest }) => [op(x, { ...rest, training: true, momentum: 0, eps: 1e-5 })],
        truth: ({ x, weight, bias }, dy) => {
          const { dx, dweight, dbias } = reference.batchNormBackward(reference.batchNorm(x, weight, bias), weight, dy);
          return [dx.data, dweight.data, dbias.data];
        },
        bytes: 12 * size,
      }),
    ];
  });
};
