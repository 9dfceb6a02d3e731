import { batchNorm as op } from '../src/ops/batchNorm.ts';
import type { Bench } from './harness/case.ts';
import { type Input, uniform, wanted } from './harness/inputs.ts';
import { kernelCase } from './harness/kernelCase.ts';
import * as reference from './harness/reference.ts';

/** Batch statistics of features, and of the channels of images. */
export const batchNorm: Bench = ({ quick, software }) => {
  const shapes = [[128, 128], ...(quick ? [] : [[software ? 16 : 64, 64, 28, 28]])];
  return shapes.flatMap((shape) => {
    const [, c, ...image] = shape as [number, number, ...number[]];
    const spatial = image.reduce((a, b) => a * b, 1);
    const size = shape.reduce((a, b) => a * b, 1);
    const make = () => ({
      x: uniform(shape),
      weight: uniform([c], { seed: 2 }),
      bias: uniform([c], { seed: 3 }),
      // Zero, and left at it: the momentum is.
      runningMean: uniform([c], { scale: 0 }),
      runningVar: uniform([c], { scale: 0 }),
    });
    const truth = ({ x, weight, bias }: Record<'x' | 'weight' | 'bias', Input>) =>
      reference.batchNorm(x.data, weight.data, bias.data, spatial);
    const shared = { shape: shape.join('x'), tolerance: 2e-5 };
    return [
      kernelCase({
        ...shared,
        bench: 'batch-norm',
        inputs: make,
        run: ({ x, ...rest }) => [op(x, { ...rest, training: true, momentum: 0, eps: 1e-5 })],
        truth: (inputs) => [truth(inputs).y],
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
        truth: (inputs, dy) => {
          const { dx, dweight, dbias } = reference.batchNormBackward(truth(inputs), inputs.weight.data, dy, spatial);
          return [dx, dweight, dbias];
        },
        bytes: 12 * size,
      }),
    ];
  });
};
