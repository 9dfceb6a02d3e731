import type { Tensor } from '../tensor.ts';
import { largest } from './max.ts';
import { type ReduceOptions, reducedAxis } from './sum.ts';

/**
 * Finds where along a dimension the largest element is: the first of equals, and NaN is the largest (`torch.argmax`, except
 * that `dim` is -1 by default). x: f32 of any shape; the result: u32, without gradient.
 *
 * @throws RangeError if there is nothing to choose from
 */
export function argmax(x: Tensor, options: ReduceOptions = {}): Tensor {
  const [values, at] = largest('argmax', x, reducedAxis('argmax', x, options, -1));
  values.dispose();
  return at;
}
