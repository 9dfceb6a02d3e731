import * as reference from '../../reference/index.ts';
import { conv2d as op } from '../../src/ops/conv2d.ts';
import { DISTINCT, type Input, repeat, repeating, uniform } from '../harness/inputs.ts';
import { opBench } from '../harness/opBench.ts';

/** x: [n, c, h, w], weight: [o, c, r, s]. */
interface Size {
  n: number;
  c: number;
  h: number;
  w: number;
  o: number;
  r: number;
  s: number;
  stride?: number;
  padding?: number;
}

function flops({ n, c, h, w, o, r, s, stride = 1, padding = 0 }: Size): number {
  const [p, q] = reference.convOutput([n, c, h, w], [o, c, r, s], { stride, padding });
  return 2 * n * o * p * q * c * r * s;
}

/** The images of x that differ. */
function distinct({ shape, data }: Input<Float32Array>) {
  const [n, ...rest] = shape as [number, ...number[]];
  const k = Math.min(n, DISTINCT);
  return { shape: [k, ...rest], data: data.subarray(0, (data.length / n) * k) };
}

/** The convolutions of the small network, one with padding, and those of a residual network for photographs. */
export const conv2d = opBench({
  bench: 'conv2d',
  sizes: ({ quick, software }): Size[] => {
    const side = software ? 112 : 224;
    const sizes = [
      { n: 64, c: 1, h: 28, w: 28, o: 32, r: 5, s: 5 },
      { n: 64, c: 16, h: 12, w: 12, o: 32, r: 5, s: 5 },
      { n: 64, c: 32, h: 12, w: 12, o: 64, r: 5, s: 5 },
      { n: software ? 4 : 64, c: 64, h: 28, w: 28, o: 64, r: 3, s: 3, padding: 1 },
      { n: software ? 1 : 64, c: 3, h: side, w: side, o: 64, r: 7, s: 7, stride: 2, padding: 3 },
      { n: software ? 1 : 64, c: 64, h: side / 4, w: side / 4, o: 64, r: 3, s: 3, padding: 1 },
      { n: software ? 1 : 64, c: 64, h: side / 4, w: side / 4, o: 128, r: 3, s: 3, stride: 2, padding: 1 },
      { n: software ? 1 : 64, c: 256, h: side / 4, w: side / 4, o: 64, r: 1, s: 1 },
    ];
    return quick ? sizes.slice(0, 2) : sizes;
  },
  label: ({ n, c, h, w, o, r, s, stride, padding }) =>
    `${[n, c, h, w].join('x')}*${[o, c, r, s].join('x')}${stride ? `s${stride}` : ''}${padding ? `p${padding}` : ''}`,
  inputs: ({ n, c, h, w, o, r, s }) => ({
    x: repeating([n, c, h, w]),
    weight: uniform([o, c, r, s], { seed: 2 }),
    bias: uniform([o], { seed: 3 }),
  }),
  run: ({ x, weight, bias }, { stride = 1, padding = 0 }) => [op(x, weight, bias, { stride, padding })],
  truth: ({ x, weight, bias }, { n, stride = 1, padding = 0 }) => {
    const { shape, data } = reference.conv2d(distinct(x), weight, bias, { stride, padding });
    return [repeat(data, (data.length / shape[0]!) * n)];
  },
  flops,
  gradients: {
    // The first layer of a network needs no gradient of its images.
    of: ({ c }) => (c > 1 ? ['x', 'weight', 'bias'] : ['weight', 'bias']),
    dy: (shape) => repeating(shape, { seed: 99 }).data,
    truth: ({ x, weight }, dy, { n, c, stride = 1, padding = 0 }) => {
      const images = distinct(x);
      const k = images.shape[0]!;
      // The gradients of the weight and of the bias add up all images: each of the k as often as it occurs.
      const times = (at: number, size: number) => Math.ceil((n - Math.floor((at * k) / size)) / k);
      const size = (dy.length / n) * k;
      const scaled = Float64Array.from(dy.subarray(0, size), (g, at) => g * times(at, size));
      const { dx, dweight, dbias } = reference.conv2dBackward(images, weight, scaled, { stride, padding });
      const ofImages = dx.data.map((g, at) => g / times(at, dx.data.length));
      const ofX = repeat(ofImages, x.data.length);
      return c > 1 ? [ofX, dweight.data, dbias.data] : [dweight.data, dbias.data];
    },
    flops: (size) => (size.c > 1 ? 2 : 1) * flops(size),
  },
});
