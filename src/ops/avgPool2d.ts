import source from '../../shaders/avgPool2d.wgsl';
import { record } from '../autograd.ts';
import { checkOptions, flag } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { type Pool2dOptions, poolChecks, poolLoop, poolSizes } from './maxPool2d.ts';

const kernel = /* @__PURE__ */ defineKernel('avgPool2d', source, ['forward', 'backward']);

export interface AvgPool2dOptions extends Pool2dOptions {
  /** Whether padding counts as zeros in the means; otherwise only pixels of the image count. Default: true. */
  countIncludePad?: boolean;
}

/** @internal */
export const avgPoolChecks = /* @__PURE__ */ poolChecks<{ countIncludePad?: boolean }>({ countIncludePad: flag });

/**
 * Takes the mean of each window (`torch.nn.functional.avg_pool2d`). The part of a window beyond the
 * padding does not count.
 * x: f32 [n, c, h, w] -> [n, c, p, q], p = floor((h + 2 padding - kernelSize) / stride) + 1; with `ceilMode` ceil for floor
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
