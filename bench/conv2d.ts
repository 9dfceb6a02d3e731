import * as reference from '../reference/index.ts';
import { conv2d as op } from '../src/ops/conv2d.ts';
import type { Bench } from './harness/case.ts';
import { uniform, wanted } from './harness/inputs.ts';
import { kernelCase } from './harness/kernelCase.ts';

/** The convolutions of this project's networks, and one with padding. A first layer's images want no gradient. */
export const conv2d: Bench = ({ quick, software }) => {
  const sizes: { n: number; c: number; h: number; w: number; o: number; r: number; s: number; padding?: number }[] = [
    { n: 64, c: 1, h: 28, w: 28, o: 32, r: 5, s: 5 },
    { n: 64, c: 16, h: 12, w: 12, o: 32, r: 5, s: 5 },
    { n: 64, c: 32, h: 12, w: 12, o: 64, r: 5, s: 5 },
    { n: software ? 4 : 64, c: 64, h: 28, w: 28, o: 64, r: 3, s: 3, padding: 1 },
  ];
  return (quick ? sizes.slice(0, 2) : sizes).flatMap((size) => {
    const { n, c, h, w, o, r, s, padding = 0 } = size;
    const [p, q] = reference.convOutput([n, c, h, w], [o, c, r, s], { padding });
    const inputs = () => ({
      x: uniform([n, c, h, w]),
      weight: uniform([o, c, r, s], { seed: 2 }),
      bias: uniform([o], { seed: 3 }),
    });
    const shape = `${[n, c, h, w].join('x')}*${[o, c, r, s].join('x')}${padding ? `p${padding}` : ''}`;
    const flops = 2 * n * o * p * q * c * r * s;
    const bytes = 4 * (n * c * h * w + o * c * r * s + n * o * p * q);
    return [
      kernelCase({
        bench: 'conv2d',
        shape,
        inputs,
        run: ({ x, weight, bias }) => [op(x, weight, bias, { padding })],
        truth: ({ x, weight, bias }) => [reference.conv2d(x, weight, bias, { padding }).data],
        flops,
        bytes,
      }),
      kernelCase({
        bench: 'conv2d-backward',
        shape,
        inputs: () => {
          const { x, weight, bias } = inputs();
          return { x: c > 1 ? wanted(x) : x, weight: wanted(weight), bias: wanted(bias) };
        },
        run: ({ x, weight, bias }) => [op(x, weight, bias, { padding })],
        truth: ({ x, weight }, dy) => {
          const { dx, dweight, dbias } = reference.conv2dBackward(x, weight, dy, { padding });
          return (c > 1 ? [dx, dweight, dbias] : [dweight, dbias]).map(({ data }) => data);
        },
        flops: c > 1 ? 2 * flops : flops,
        bytes: 2 * bytes,
      }),
    ];
  });
};
