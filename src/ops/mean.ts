import type { Tensor } from '../tensor.ts';
import { type ReduceOptions, reducedAxis, scaledSum } from './sum.ts';

/**
 * Takes the mean over a dimension, or over all elements (`torch.mean`). x: f32 of any shape. The mean of no elements is NaN.
 *
 * @throws RangeError if x has no such dimension
 */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const axis = reducedAxis('mean', x, options);
  return scaledSum('mean', x, axis, 1 / axis.n);
}
