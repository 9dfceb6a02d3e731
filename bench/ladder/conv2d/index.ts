import * as reference from '../../../reference/index.ts';
import { defineKernel } from '../../../src/gpu/kernel.ts';
import { conv2d } from '../../../src/ops/conv2d.ts';
import { empty, type Tensor } from '../../../src/tensor.ts';
import { type Bench, type Case, kernelCase } from '../../harness/case.ts';
import { uniform } from '../../harness/inputs.ts';
import naiveSource from './naive.wgsl';
import registersSource from './registers.wgsl';

const naive = defineKernel('ladder.conv2d', naiveSource, ['forward']);
const registers = defineKernel('ladder.conv2d', registersSource, ['forward']);

/** Convolution kernels from the formula to the shipped one, an implicit GEMM. */
export const ladderConv2d: Bench = ({ quick, software }) => {
  const size = { n: quick ? 2 : software ? 16 : 64, c: 32, h: 12, w: 12, o: 64, r: 5, s: 5 };
  const { n: images, c, h, w, o, r, s } = size;
  const [p, q] = reference.convOutput([images, c, h, w], [o, c, r, s]);
  const params = { images, c, h, w, o, p, q, r, s };
  const rung = (kernel: string, run: (x: Tensor, weight: Tensor, bias: Tensor) => Tensor): Case =>
    kernelCase({
      bench: 'ladder-conv2d',
      shape: `${[images, c, h, w].join('x')}*${[o, c, r, s].join('x')}`,
      kernel,
      inputs: () => ({
        x: uniform([images, c, h, w]),
        weight: uniform([o, c, r, s], { seed: 2 }),
        bias: uniform([o], { seed: 3 }),
      }),
      run: ({ x, weight, bias }) => [run(x, weight, bias)],
      truth: ({ x, weight, bias }) => [reference.conv2d(x, weight, bias).data],
      flops: 2 * images * o * p * q * c * r * s,
      bytes: 4 * (images * c * h * w + o * c * r * s + images * o * p * q),
    });
  return [
    rung('1 naive', (x, weight, bias) => {
      const y = empty(x.gpu, [images, o, p, q]);
      naive.forward({ x, weight, bias, y }, params, Math.ceil(y.size / 64));
      return y;
    }),
    rung('2 registers', (x, weight, bias) => {
      const y = empty(x.gpu, [images, o, p, q]);
      registers.forward({ x, weight, bias, y }, params, [Math.ceil((images * p * q) / 64), o / 8]);
      return y;
    }),
    rung('3 shipped', (x, weight, bias) => conv2d(x, weight, bias)),
  ];
};
