import * as reference from '../reference/index.ts';
import { linear as op } from '../src/ops/linear.ts';
import type { Bench } from './harness/case.ts';
import { uniform, wanted } from './harness/inputs.ts';
import { kernelCase } from './harness/kernelCase.ts';

/** The linear layers of this project's networks: few rows, so few tiles. */
export const linear: Bench = ({ quick }) => {
  const sizes: [n: number, inputs: number, outputs: number][] = [
    [64, 1024, 128],
    [128, 512, 128],
    [64, 128, 10],
  ];
  return (quick ? sizes.slice(0, 1) : sizes).flatMap(([n, inputs, outputs]) => {
    const make = () => ({
      x: uniform([n, inputs]),
      weight: uniform([outputs, inputs], { seed: 2 }),
      bias: uniform([outputs], { seed: 3 }),
    });
    const shape = `${n}x${inputs}x${outputs}`;
    const flops = 2 * n * inputs * outputs;
    const bytes = 4 * (n * inputs + inputs * outputs + n * outputs);
    return [
      kernelCase({
        bench: 'linear',
        shape,
        inputs: make,
        run: ({ x, weight, bias }) => [op(x, weight, bias)],
        truth: ({ x, weight, bias }) => [reference.linear(x, weight, bias).data],
        flops,
        bytes,
      }),
      kernelCase({
        bench: 'linear-backward',
        shape,
        inputs: () => {
          const { x, weight, bias } = make();
          return { x: wanted(x), weight: wanted(weight), bias: wanted(bias) };
        },
        run: ({ x, weight, bias }) => [op(x, weight, bias)],
        truth: ({ x, weight }, dy) => {
          const { dx, dweight, dbias } = reference.linearBackward(x, weight, { shape: [n, outputs], data: dy });
          return [dx.data, dweight.data, dbias.data];
        },
        flops: 2 * flops,
        bytes: 2 * bytes,
      }),
    ];
  });
};
