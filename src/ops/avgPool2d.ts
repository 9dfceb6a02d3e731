import source from '../../shaders/avgPool2d.wgsl';
import { record } from '../autograd.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { type Pool2dOptions, poolLoop, poolSizes } from './maxPool2d.ts';

const kernel = /* @__PURE__ */ defineKernel('avgPool2d', source, ['forward', 'backward']);

/**
 * The mean of each window, padding counted as zeros (`torch.nn.functional.avg_pool2d`).
 * x: f32 [n, c, h, w] -> [n, c, p, q], p = floor((h + 2 padding - kernelSize) / stride) + 1
 */
export function avgPool2d(x: Tensor, options: Pool2dOptions): Tensor {
  const { shape, ...sizes } = poolSizes('avgPool2d', x, options);
  const constants = { LOOP: poolLoop(x) };
  const groups = (size: number) => Math.ceil(size / 64 / constants.LOOP);
  const y = empty(x.gpu, shape, 'f32', 'avgPool2d');
  kernel.forward({ x, y }, { ...sizes, size: y.size }, groups(y.size), constants);
  return record('avgPool2d', [x], y, [], (dy, gradient) => {
    const dx = gradient.into(0);
    kernel.backward({ dy, dx }, { ...sizes, size: dx.size }, groups(dx.size), constants);
    return [dx];
  });
}
