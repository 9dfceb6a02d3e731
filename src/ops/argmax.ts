import { axisOf } from '../rows.ts';
import type { Tensor } from '../tensor.ts';
import { largest } from './max.ts';
import type { ReduceOptions } from './sum.ts';

/**
 * Where the largest element along a dimension is, the last one unless told otherwise: the first of equals, and NaN is the
 * largest (`torch.argmax`, whose dim defaults to all). x: f32 of one dimension at least; u32, without gradient.
 *
 * @throws RangeError where there is nothing to choose from
 */
export function argmax(x: Tensor, { dim = -1 }: ReduceOptions = {}): Tensor {
  const [values, at] = largest('argmax', x, axisOf('argmax', x, dim));
  values.dispose();
  return at;
}
