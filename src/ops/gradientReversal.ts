import { record } from '../autograd.ts';
import type { Scalar } from '../gpu/scalar.ts';
import type { Tensor } from '../tensor.ts';
import { factorOf, scaleInto } from './scale.ts';

/**
 * The identity, whose gradient is -coefficient * dy (Ganin & Lempitsky 2015; TLlib `GradientReverseFunction`).
 * x: f32 of any shape; y shares its memory. A {@link Scalar} is read at each forward, and anew at every run of a captured step.
 */
export function gradientReversal(x: Tensor, coefficient: number | Scalar): Tensor {
  const own = factorOf(x.gpu, coefficient);
  return record('gradientReversal', [x], x.view(), [], (dy, gradient) => {
    const dx = gradient.into(0);
    scaleInto(dy, own, dx, -1);
    return [dx];
  });
}
