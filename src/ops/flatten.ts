import { showShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { reshape } from './reshape.ts';

/**
 * All dimensions but the first as one (`torch.flatten(x, 1)`): [n, c, h, w] -> [n, c h w]. Shares memory with x.
 *
 * @throws TypeError unless x has two dimensions at least
 */
export function flatten(x: Tensor): Tensor {
  const [n, ...rest] = x.shape;
  if (rest.length === 0) {
    throw new TypeError(`flatten: x must have two dimensions at least but is ${showShape(x.shape)}; reshape it`);
  }
  return reshape(x, [n!, rest.reduce((a, size) => a * size)]);
}
