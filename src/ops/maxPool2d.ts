import source from '../../shaders/maxPool2d.wgsl';
import { record } from '../autograd.ts';
import { checkWhole } from '../checkNumbers.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { showShape } from '../shape.ts';
import { empty, expectDtype, type Tensor } from '../tensor.ts';

const kernel = /* @__PURE__ */ defineKernel('maxPool2d', source, [
  'forward',
  'backward',
  'backwardApart',
  'halve',
  'halveBackward',
]);

export interface Pool2dOptions {
  /** Height and width of the window. */
  kernelSize: number;
  /** Pixels from one window to the next: as wide as the window by default. */
  stride?: number;
  /** Rows and columns around the image, on either side, that windows may reach into: none by default. */
  padding?: number;
}

/**
 * The largest value of each window, or with `relu` the positive part of it (`torch.nn.functional.max_pool2d`). What lies
 * outside of the image is never the largest; of equals the first gets the gradient; a NaN is larger than all.
 * x: f32 [n, c, h, w] -> [n, c, p, q], p = floor((h + 2 padding - kernelSize) / stride) + 1
 */
export function maxPool2d(x: Tensor, { relu = false, ...options }: Pool2dOptions & { relu?: boolean }): Tensor {
  const { gpu } = x;
  const { shape, ...sizes } = poolSizes('maxPool2d', x, options);
  const { h, w, kernelSize, stride } = sizes;
  const halves = kernelSize === 2 && stride === 2 && sizes.padding === 0 && h % 2 === 0 && w % 8 === 0;
  const constants = { LOOP: poolLoop(x) };
  const y = empty(gpu, shape, 'f32', 'maxPool2d');
  const units = halves ? y.size / 4 : y.size;
  const params = { ...sizes, size: units, relu: Number(relu), rest: halves ? 64 % (w / 8) : 0 };
  const groups = (size: number) => Math.ceil(size / 64 / constants.LOOP);
  const index = empty(gpu, [units], 'u32', 'maxPool2d index');
  if (halves) kernel.halve({ x4: x, y4: y, index }, params, groups(units), constants);
  else kernel.forward({ x, y, index }, params, groups(units), constants);
  return record('maxPool2d', [x], y, [index], (dy, gradient) => {
    const dx = gradient.into(0);
    const bindings = { dy, dx, indices: index };
    if (halves) kernel.halveBackward({ dy4: dy, dx4: dx, indices: index }, params, groups(units), constants);
    else if (stride >= kernelSize) kernel.backwardApart(bindings, params, groups(units), constants);
    else kernel.backward(bindings, { ...params, size: x.size }, groups(x.size), constants);
    return [dx];
  });
}

/** @internal The sizes that pooling works with, `shape` being that of its output. */
export function poolSizes(who: string, x: Tensor, { kernelSize, stride = kernelSize, padding = 0 }: Pool2dOptions) {
  expectDtype(who, 'x', x, 'f32');
  const [n, c, h, w] = x.shape as [number, number, number, number];
  if (x.shape.length !== 4) throw new TypeError(`${who}: x must be [n,c,h,w] but is ${showShape(x.shape)}`);
  checkWhole(who, { kernelSize, stride });
  checkWhole(who, { padding }, 0);
  if (2 * padding > kernelSize) {
    throw new RangeError(
      `${who}: padding ${padding} is more than half of kernelSize ${kernelSize}; some windows would hold no pixel`,
    );
  }
  const [p, q] = [h, w].map((size) => Math.floor((size + 2 * padding - kernelSize) / stride) + 1) as [number, number];
  if (!(p > 0 && q > 0)) {
    throw new RangeError(
      `${who}: a window of ${kernelSize} does not fit into x ${showShape(x.shape)} with padding ${padding}; take a smaller one`,
    );
  }
  return { shape: [n, c, p, q], h, w, p, q, kernelSize, stride, padding };
}

/** @internal What an invocation does one after the other: starting one costs a software adapter more than a window. */
export const poolLoop = ({ gpu }: Tensor): number => (gpu.gemmFamily === 'workgroup' ? 1 : 16);
