import source from '../../shaders/transpose.wgsl';
import { record } from '../autograd.ts';
import { noOptions } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { sizeOf } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { dimensionOf } from './shared/axis.ts';
import { expectTensor } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('transpose', source, ['forward']);

/**
 * Exchanges two dimensions (`torch.transpose`). x: any shape and element type; y is a copy. Negative dimensions count from the end.
 * `matmul` multiplies transposed matrices without a copy.
 *
 * @throws RangeError if x has no such dimension
 */
export const transpose: (x: Tensor, dim0: number, dim1: number) => Tensor = (x, dim0, dim1, options?: unknown) => {
  noOptions('transpose', options);
  expectTensor('transpose', 'x', x);
  const first = dimensionOf('transpose', x.shape, dim0);
  const second = dimensionOf('transpose', x.shape, dim1);
  const y = exchange(x, first, second, (shape) => empty(x.gpu, shape, x.dtype, 'transpose'));
  return record('transpose', [x], y, [], (dy, gradient) => [exchange(dy, first, second, () => gradient.into(0))]);
};

function exchange(x: Tensor, first: number, second: number, into: (shape: number[]) => Tensor): Tensor {
  const { shape, size } = x;
  const [low, high] = [Math.min(first, second), Math.max(first, second)];
  const [p, q] = [shape[low] ?? 1, shape[high] ?? 1];
  const y = into(shape.map((n, d) => (d === low ? q : d === high ? p : n)));
  // A dimension exchanged with itself is a copy of [outer, 1, 1, 1, inner].
  const params =
    low === high
      ? { size, p: 1, mid: 1, q: 1, inner: size }
      : { size, p, mid: sizeOf(shape.slice(low + 1, high)), q, inner: sizeOf(shape.slice(high + 1)) };
  kernel.forward({ x, y }, params, Math.ceil(size / 64));
  return y;
}
