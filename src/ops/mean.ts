import type { Tensor } from '../tensor.ts';
import { type ReduceOptions, reducedAxis, scaledSum } from './sum.ts';

/** Takes the mean of a dimension, or of all elements (`torch.mean`). x: f32 of any shape. A mean of nothing is NaN. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const axis = reducedAxis('mean', x, options);
  return scaledSum('mean', x, axis, 1 / axis.n);
}
