// Forward keeps the index of each maximum, and backward sends the gradient there. Windows of 2 x 2 have kernels of their own,
// which handle four windows as vectors. Windows that overlap have another backward than windows that do not; see the header of
// the shader.
import source from '../../shaders/maxPool2d.wgsl';
import window from '../../shaders/maxPool2d.window.wgsl';
import geometry from '../../shaders/pool2d.wgsl';
import { record } from '../autograd.ts';
import { checkOptions, flag } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { type Pool2dOptions, poolChecks, poolLoop, poolSizes } from './shared/pool2d.ts';

export type { Pool2dOptions } from './shared/pool2d.ts';

const kernel = /* @__PURE__ */ defineKernel(
  'maxPool2d',
  [geometry, window, source],
  ['forward', 'backward', 'backwardApart', 'pair', 'pairBackward', 'halve', 'halveBackward'],
);

export interface MaxPool2dOptions extends Pool2dOptions {
  /** Applies ReLU to the output, in the same dispatch. Default: false. */
  relu?: boolean;
}

const checks = /* @__PURE__ */ poolChecks<{ relu?: boolean }>({ relu: flag });

/**
 * Takes the largest value of each window (`torch.nn.functional.max_pool2d`). The padding is never the largest; NaN is larger
 * than any number. The first of equal values gets the gradient.
 *
 * x: f32 [n, c, h, w]; y: f32 [n, c, p, q] with p = floor((h + 2 padding - kernelSize) / stride) + 1, or ceil with `ceilMode`.
 *
 * @throws RangeError if a window does not fit into x, or if the padding is more than half a window
 */
export function maxPool2d(x: Tensor, options: MaxPool2dOptions): Tensor {
  checkOptions('maxPool2d', options, checks, ['kernelSize']);
  const { shape, ...sizes } = poolSizes('maxPool2d', x, options);
  const { relu = false } = options;
  const { gpu } = x;
  const { h, w, kernelSize, stride } = sizes;
  const pairs = kernelSize === 2 && stride === 2 && sizes.padding === 0 && h % 2 === 0 && w % 2 === 0;
  const halves = pairs && w % 8 === 0;
  const constants = { LOOP: poolLoop(x) };
  const y = empty(gpu, shape, 'f32', 'maxPool2d');
  const units = halves ? y.size / 4 : y.size;
  const params = { ...sizes, size: units, relu: Number(relu), rest: 64 % (halves ? w / 8 : sizes.q) };
  const groups = (size: number) => Math.ceil(size / 64 / constants.LOOP);
  const index = empty(gpu, [units], 'u32', 'maxPool2d index');
  if (halves) kernel.halve({ x4: x, y4: y, index }, params, groups(units), { constants });
  else if (pairs) kernel.pair({ x2: x, y, index }, params, groups(units), { constants });
  else kernel.forward({ x, y, index }, params, groups(units), { constants });
  return record('maxPool2d', [x], y, [index], (dy, gradient) => {
    const dx = gradient.into(0);
    const bindings = { dy, dx, indices: index };
    if (halves) halveBackward(dy, index, dx);
    else if (pairs) kernel.pairBackward({ dy, dx2: dx, indices: index }, params, groups(units), { constants });
    else if (stride >= kernelSize) kernel.backwardApart(bindings, params, groups(units), { constants });
    else kernel.backward(bindings, { ...params, size: x.size }, groups(x.size), { constants });
    return [dx];
  });
}

/** @internal Records the gradient of four windows of 2 x 2 per word of `index`. The width of dx must be a multiple of 8. */
export function halveBackward(dy: Tensor, index: Tensor, dx: Tensor): void {
  const { shape: _, ...sizes } = poolSizes('maxPool2d', dx, { kernelSize: 2 });
  const { size } = index;
  const constants = { LOOP: poolLoop(dx) };
  const params = { ...sizes, size, relu: 0, rest: 64 % (sizes.w / 8) };
  const groups = Math.ceil(size / 64 / constants.LOOP);
  kernel.halveBackward({ dy4: dy, dx4: dx, indices: index }, params, groups, { constants });
}
