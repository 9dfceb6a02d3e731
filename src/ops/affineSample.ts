import affine from '../../shaders/affine.wgsl';
import source from '../../shaders/affineSample.wgsl';
import { record } from '../autograd.ts';
import { checkOptions, type OptionChecks, oneOf } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { showShape } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectDtype, expectShape } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('affineSample', [affine, source], ['forward']);

export interface AffineSampleOptions {
  /** Pixels outside an image: 'zeros', or 'border' (the pixels of the border repeated). Default: 'zeros'. */
  padding?: 'zeros' | 'border';
}

const checks: OptionChecks<AffineSampleOptions> = { padding: /* @__PURE__ */ oneOf('zeros', 'border') };

/**
 * Samples each image bilinearly at an affine map of its own grid: PyTorch's `grid_sample(x, affine_grid(theta, x.size()))` with
 * `align_corners = false`. It has no gradient: backward through it throws.
 *
 * x, y: f32 [n, c, h, w]; theta: f32 [n, 2, 3], from places in y to places in x, both in [-1, 1] from border to border.
 */
export function affineSample(x: Tensor, theta: Tensor, options: AffineSampleOptions = {}): Tensor {
  checkOptions('affineSample', options, checks);
  const { padding = 'zeros' } = options;
  expectDtype('affineSample', 'x', x, 'f32');
  if (x.shape.length !== 4)
    throw new TypeError(`affineSample: x must be [n, c, h, w] but is ${showShape(x.shape)}; reshape it`);
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  expectShape('affineSample', 'theta', theta, [n, 2, 3]);
  const y = empty(x.gpu, x.shape, 'f32', 'affineSample');
  kernel.forward({ x, theta, y }, { size: y.size, channels, height, width }, Math.ceil(y.size / 64), {
    constants: { BORDER: Number(padding === 'border') },
  });
  return record('affineSample', [x, theta], y, [], () => {
    throw new TypeError('affineSample: it has no gradient; compute it in noGrad, or detach its inputs');
  });
}
