import { avgPool2d as op } from '../src/ops/avgPool2d.ts';
import type { Shape } from '../src/shape.ts';
import { uniform } from './harness/inputs.ts';
import { opBench } from './harness/opBench.ts';

/** Where element i of the pooled images has its window's first pixel, and how wide an image is. */
function windows(shape: Shape) {
  const [n, c, h, w] = shape as [number, number, number, number];
  const [p, q] = [h >> 1, w >> 1];
  const first = (i: number) => (Math.floor(i / (p * q)) * h + 2 * (Math.floor(i / q) % p)) * w + 2 * (i % q);
  return { count: n * c * p * q, w, first };
}

/** Windows of 2 x 2. */
export const avgPool2d = opBench({
  bench: 'avg-pool2d',
  shapes: ({ quick, software }) => [[64, 64, 8, 8], ...(quick ? [] : [[software ? 128 : 1024, 16, 24, 24]])],
  inputs: (shape) => ({ x: uniform(shape) }),
  run: ({ x }) => [op(x, { kernelSize: 2 })],
  truth: ({ x: { data } }, shape) => {
    const { count, w, first } = windows(shape);
    return [
      Float64Array.from({ length: count }, (_, i) => {
        const at = first(i);
        return (data[at]! + data[at + 1]! + data[at + w]! + data[at + w + 1]!) / 4;
      }),
    ];
  },
  gradients: {
    of: ['x'],
    truth: ({ x }, dy, shape) => {
      const { w, first } = windows(shape);
      const dx = new Float64Array(x.data.length);
      for (const [i, g] of dy.entries()) for (const k of [0, 1, w, w + 1]) dx[first(i) + k]! += g / 4;
      return [dx];
    },
  },
});
