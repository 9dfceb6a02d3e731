import type { Tensor } from '../tensor.ts';
import { largest } from './max.ts';
import { type ReduceOptions, reducedAxis } from './sum.ts';

/**
 * Returns the index of the largest element along a dimension (`torch.argmax`, but `dim` is -1 by default). x: f32 of any shape;
 * the result: u32, no gradient. The first of equal elements wins; NaN is larger than any number.
 *
 * @throws RangeError if x has no such dimension, or no elements along it
 */
export function argmax(x: Tensor, options: ReduceOptions = {}): Tensor {
  const [values, at] = largest('argmax', x, reducedAxis('argmax', x, options, -1));
  values.dispose();
  return at;
}
