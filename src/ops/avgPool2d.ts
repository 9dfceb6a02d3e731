import source from '../../shaders/avgPool2d.wgsl';
import geometry from '../../shaders/pool2d.wgsl';
import { record } from '../autograd.ts';
import { checkOptions, flag } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { type Pool2dOptions, poolChecks, poolLoop, poolSizes } from './shared/pool2d.ts';

const kernel = /* @__PURE__ */ defineKernel('avgPool2d', [geometry, source], ['forward', 'backward']);

export interface AvgPool2dOptions extends Pool2dOptions {
  /** Counts the padding as zeros in the means. If false, only pixels of the image count. Default: true. */
  countIncludePad?: boolean;
}

/** @internal */
export const avgPoolChecks = /* @__PURE__ */ poolChecks<{ countIncludePad?: boolean }>({ countIncludePad: flag });

/**
 * Takes the mean of each window (`torch.nn.functional.avg_pool2d`). With `ceilMode`, the part of a window beyond the padding
 * never counts.
 *
 * x: f32 [n, c, h, w]; y: f32 [n, c, p, q] with p = floor((h + 2 padding - kernelSize) / stride) + 1, or ceil with `ceilMode`.
 *
 * @throws RangeError if a window does not fit into x, or if the padding is more than half a window
 */
export function avgPool2d(x: Tensor, options: AvgPool2dOptions): Tensor {
  checkOptions('avgPool2d', options, avgPoolChecks, ['kernelSize']);
  const { ceilMode = false, countIncludePad = true } = options;
  const { shape, ...pool } = poolSizes('avgPool2d', x, options);
  const sizes = { ...pool, counted: countIncludePad ? pool.padding : 0 };
  const uneven = ceilMode || sizes.counted < pool.padding;
  const constants = { LOOP: poolLoop(x), ...(uneven && { UNEVEN: 1 }) };
  const groups = (size: number) => Math.ceil(size / 64 / constants.LOOP);
  const y = empty(x.gpu, shape, 'f32', 'avgPool2d');
  kernel.forward({ x, y }, { ...sizes, size: y.size }, groups(y.size), { constants });
  return record('avgPool2d', [x], y, [], (dy, gradient) => {
    const dx = gradient.into(0);
    kernel.backward({ dy, dx }, { ...sizes, size: dx.size }, groups(dx.size), { constants });
    return [dx];
  });
}
