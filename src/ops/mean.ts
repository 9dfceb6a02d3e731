import { axisOf } from '../rows.ts';
import type { Tensor } from '../tensor.ts';
import { type ReduceOptions, scaledSum } from './sum.ts';

/** Mean along a dimension, or of all elements (`torch.mean`). x: f32 of any shape. A mean of nothing is NaN. */
export function mean(x: Tensor, { dim }: ReduceOptions = {}): Tensor {
  const axis = axisOf('mean', x, dim);
  return scaledSum('mean', x, axis, 1 / axis.n);
}
