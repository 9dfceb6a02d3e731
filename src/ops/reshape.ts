import { record } from '../autograd.ts';
import { noOptions, show } from '../checks/options.ts';
import { type Shape, showShape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { expectTensor } from './shared/expect.ts';

/**
 * Returns the same elements in another shape (`torch.reshape`). One size may be -1: it is computed from the others. x: any
 * element type; y shares the memory of x.
 *
 * @throws TypeError if the shape does not have as many elements as x
 */
export const reshape: (x: Tensor, shape: Shape) => Tensor = (x, shape, options?: unknown) => {
  noOptions('reshape', options);
  expectTensor('reshape', 'x', x);
  if (!Array.isArray(shape))
    throw new TypeError(`reshape: shape must be an array of sizes, such as [2, -1], but is ${show(shape)}`);
  const at = shape.indexOf(-1);
  const known = sizeOf(shape.filter((_, i) => i !== at));
  const full = at < 0 ? shape : shape.with(at, x.size / known);
  if (sizeOf(full) !== x.size || !full.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw new TypeError(
      `reshape: x is ${showShape(x.shape)} with ${x.size} elements, which do not fill ${showShape(shape)}; pass sizes whose product is ${x.size}`,
    );
  }
  return record('reshape', [x], x.view(full), [], (dy) => [dy.view(x.shape)]);
};
