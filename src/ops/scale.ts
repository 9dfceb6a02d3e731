import source from '../../shaders/scale.wgsl';
import { record } from '../autograd.ts';
import { type Check, checkValue, noOptions } from '../checks/options.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { Counter, readingOf, Scalar } from '../gpu/scalar.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectDtype } from './shared/expect.ts';
import { splitElements } from './shared/split.ts';

const kernel = /* @__PURE__ */ defineKernel('scale', source, ['forward']);

/** @internal A factor of {@link scale} or of `gradientReversal`. */
export const factors: Check = {
  wanted: 'a number or a Scalar (mul multiplies two tensors)',
  holds: (value) => typeof value === 'number' || value instanceof Scalar,
};

/**
 * Multiplies each element by a number. x, y: f32 of any shape; y shares the memory of x if the factor is the number 1. A captured
 * step reads the value of a {@link Scalar} at every run. `mul` multiplies two tensors.
 */
export const scale: (x: Tensor, factor: number | Scalar) => Tensor = (x, factor, options?: unknown) => {
  noOptions('scale', options);
  expectDtype('scale', 'x', x, 'f32');
  checkValue('scale', 'factor', factor, factors);
  if (factor === 1) return record('scale', [x], x.view(), [], (dy) => [dy]);
  const own = factorOf(x.gpu, factor);
  const y = empty(x.gpu, x.shape, 'f32', 'scale');
  scaleInto(x, own, y);
  return record('scale', [x], y, [], (dy, gradient) => {
    const dx = gradient.into(0);
    scaleInto(dy, own, dx);
    return [dx];
  });
};

/**
 * @internal Returns the scalar's value at this forward, for backward to use as well. In a captured step it is read at every run.
 */
export function factorOf(gpu: Gpu, factor: number | Scalar): number | Scalar {
  if (typeof factor === 'number') return factor;
  if (gpu.queue.recording) return readingOf(gpu.queue.recording, factor);
  const { value } = factor;
  if (factor instanceof Counter) factor.advance();
  return value;
}

/** @internal Records y = sign * factor * x. */
export function scaleInto(x: Tensor, factor: number | Scalar, y: Tensor, sign: 1 | -1 = 1): void {
  const { groups, constants } = splitElements(x.gpu, x.size);
  kernel.forward({ x, y }, { size: x.size, factor }, groups, { constants: { ...constants, SIGN: sign } });
}
