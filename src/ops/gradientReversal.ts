import { record } from '../autograd.ts';
import { checkValue, noOptions } from '../checks/options.ts';
import type { Scalar } from '../gpu/scalar.ts';
import type { Tensor } from '../tensor.ts';
import { factorOf, factors, scaleInto } from './scale.ts';
import { expectDtype } from './shared/expect.ts';

/**
 * Returns x itself; its gradient is -coefficient * dy (Ganin & Lempitsky 2015; TLlib's `GradientReverseFunction`). x, y: f32 of
 * any shape; y shares the memory of x. The value of a {@link Scalar} is read at each forward and at every run of a captured step.
 */
export const gradientReversal: (x: Tensor, coefficient: number | Scalar) => Tensor = (
  x,
  coefficient,
  options?: unknown,
) => {
  noOptions('gradientReversal', options);
  expectDtype('gradientReversal', 'x', x, 'f32');
  checkValue('gradientReversal', 'coefficient', coefficient, factors);
  const own = factorOf(x.gpu, coefficient);
  return record('gradientReversal', [x], x.view(), [], (dy, gradient) => {
    const dx = gradient.into(0);
    scaleInto(dy, own, dx, -1);
    return [dx];
  });
};
