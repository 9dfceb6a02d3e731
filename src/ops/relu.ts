import source from '../../shaders/relu.wgsl';
import { record } from '../autograd.ts';
import { noOptions } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectDtype } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('relu', source, ['forward', 'backward']);

/** Computes max(x, 0) for each element (`torch.relu`). x, y: f32 of any shape. The gradient at 0 is 0. */
export const relu: (x: Tensor) => Tensor = (x: Tensor, options?: unknown) => {
  noOptions('relu', options);
  expectDtype('relu', 'x', x, 'f32');
  const { size } = x;
  const groups = Math.ceil(size / 64);
  const y = empty(x.gpu, x.shape, 'f32', 'relu');
  kernel.forward({ x, y }, { size }, groups);
  return record('relu', [x], y, [y], (dy, gradient) => [reluBackward(y, dy, gradient.into(0))]);
};

/** @internal Returns the gradient of ReLU from its output y: dx = dy if y > 0, else 0. */
export function reluBackward(y: Tensor, dy: Tensor, dx = empty(y.gpu, y.shape, 'f32', 'relu')): Tensor {
  kernel.backward({ yIn: y, dy, dx }, { size: y.size }, Math.ceil(y.size / 64));
  return dx;
}
