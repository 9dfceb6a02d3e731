import { noOptions } from '../checks/options.ts';
import type { Tensor } from '../tensor.ts';
import { axisOf } from './shared/axis.ts';
import { expectMatrix } from './shared/expect.ts';
import { scaledSum } from './sum.ts';

/** Takes the mean over the rows of a matrix. x: f32 [n, C]; y: f32 [C], NaN if there are no rows. */
export const columnMean: (x: Tensor) => Tensor = (x: Tensor, options?: unknown) => {
  noOptions('columnMean', options);
  const [rows] = expectMatrix('columnMean', 'x', x);
  return scaledSum('columnMean', x, axisOf('columnMean', x, 0), 1 / rows);
};
