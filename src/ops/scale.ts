import source from '../../shaders/scale.wgsl';
import { record } from '../autograd.ts';
import { type Check, checkValue } from '../checks/options.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { Counter, readingOf, Scalar } from '../gpu/scalar.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectDtype } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('scale', source, ['forward']);

/** @internal What multiplies a tensor. */
export const factors: Check = {
  wanted: 'a number or a Scalar (mul multiplies two tensors)',
  holds: (value) => typeof value === 'number' || value instanceof Scalar,
};

/** Multiplies x by a number. x: f32 of any shape; every run of a captured step reads the value of a {@link Scalar}. */
export function scale(x: Tensor, factor: number | Scalar): Tensor {
  expectDtype('scale', 'x', x, 'f32');
  checkValue('scale', 'factor', factor, factors);
  const own = factorOf(x.gpu, factor);
  const y = empty(x.gpu, x.shape, 'f32', 'scale');
  scaleInto(x, own, y);
  return record('scale', [x], y, [], (dy, gradient) => {
    const dx = gradient.into(0);
    scaleInto(dy, own, dx);
    return [dx];
  });
}

/** @internal The scalar's value at this forward; backward multiplies by the same. In a captured step, the value of each run. */
export function factorOf(gpu: Gpu, factor: number | Scalar): number | Scalar {
  if (typeof factor === 'number') return factor;
  if (gpu.queue.recording) return readingOf(gpu.queue.recording, factor);
  const { value } = factor;
  if (factor instanceof Counter) factor.advance();
  return value;
}

/** @internal y = sign * factor * x. */
export function scaleInto(x: Tensor, factor: number | Scalar, y: Tensor, sign: 1 | -1 = 1): void {
  kernel.forward({ x, y }, { size: x.size, factor }, Math.ceil(x.size / 64), { constants: { SIGN: sign } });
}
