import { checkValue } from '../checks/options.ts';
import { showShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { reshape } from './reshape.ts';
import { expectTensor } from './shared/expect.ts';

/**
 * Makes all dimensions but the first one (`torch.flatten(x, 1)`): [n, c, h, w] -> [n, c h w]. Shares memory with x.
 *
 * @throws TypeError unless x has at least two dimensions
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
