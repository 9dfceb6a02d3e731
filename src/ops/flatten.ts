import { checkValue } from '../checks/options.ts';
import { showShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { reshape } from './reshape.ts';
import { expectTensor } from './shared/expect.ts';

/**
 * Joins all dimensions but the first (`torch.flatten(x, 1)`). x: [n, c, h, w] or any other shape of two or more dimensions;
 * y: [n, c h w], shares the memory of x.
 *
 * @throws TypeError if x has fewer than two dimensions
 */
export function flatten(x: Tensor, startDim: 1 = 1): Tensor {
  expectTensor('flatten', 'x', x);
  checkValue('flatten', 'startDim', startDim, { wanted: '1 (use reshape)', holds: (value) => value === 1 });
  const [n, ...rest] = x.shape;
  if (rest.length === 0) {
    throw new TypeError(`flatten: x must have at least two dimensions but is ${showShape(x.shape)}; reshape it`);
  }
  return reshape(x, [n!, rest.reduce((a, size) => a * size)]);
}
