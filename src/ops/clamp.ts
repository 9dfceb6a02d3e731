import source from '../../shaders/clamp.wgsl';
import { record } from '../autograd.ts';
import { type Check, checkOptions, type OptionChecks } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectDtype } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('clamp', source, ['forward', 'backward']);

export interface ClampOptions {
  /** Smallest result. Default: -Infinity, no limit. */
  min?: number;
  /** Largest result. Default: Infinity, no limit. */
  max?: number;
}

const limit: Check = { wanted: 'a number', holds: (value) => typeof value === 'number' && !Number.isNaN(value) };
const checks: OptionChecks<ClampOptions> = { min: limit, max: limit };

/**
 * Limits each element to [min, max] (`torch.clamp`). x, y: f32 of any shape. NaN stays NaN. If min > max, every element becomes max. The
 * gradient is 0 outside the range, and passes at its ends.
 *
 * @throws TypeError without min and max
 */
export function clamp(x: Tensor, options: ClampOptions): Tensor {
  expectDtype('clamp', 'x', x, 'f32');
  checkOptions('clamp', options, checks);
  const { min, max } = options ?? {};
  if (min === undefined && max === undefined) throw new TypeError('clamp: it has no limit; give min, max or both');
  const { size } = x;
  const params = { size, low: min ?? Number.NEGATIVE_INFINITY, high: max ?? Number.POSITIVE_INFINITY };
  const groups = Math.ceil(size / 64);
  const y = empty(x.gpu, x.shape, 'f32', 'clamp');
  kernel.forward({ x, y }, params, groups);
  return record('clamp', [x], y, [x], (dy, gradient) => {
    const dx = gradient.into(0);
    kernel.backward({ x, dy, dx }, params, groups);
    return [dx];
  });
}
