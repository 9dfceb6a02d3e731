import source from '../../shaders/sliceRows.wgsl';
import { record } from '../autograd.ts';
import { noOptions } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { sameShape, showShape, sizeOf } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectTensor } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('sliceRows', source, ['take', 'put', 'pad']);

// WebGPU's largest offset alignment of a storage binding, in bytes. Every tensor starts at a multiple of it.
const ALIGNMENT = 256;

/**
 * Selects rows `from` to `to` - 1 (`x[from:to]` in PyTorch). x: [n, ...] of any element type; y: [to - from, ...]. y shares the
 * memory of x if its first row starts at a multiple of 256 bytes; otherwise it is a copy.
 *
 * @throws RangeError unless 0 <= from <= to <= n
 */
export const sliceRows: (x: Tensor, from: number, to: number) => Tensor = (x, from, to, options?: unknown) => {
  noOptions('sliceRows', options);
  expectTensor('sliceRows', 'x', x);
  const [rows] = x.shape;
  if (rows === undefined) throw new TypeError('sliceRows: x is a single number; it must have rows');
  if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && 0 <= from && from <= to && to <= rows)) {
    throw new RangeError(
      `sliceRows: rows ${from} to ${to} are not in x ${showShape(x.shape)}; ask for 0 <= from <= to <= ${rows}`,
    );
  }
  const y = rowsFrom(x, from, to);
  return record('sliceRows', [x], y, [], (dy, gradient) => {
    if (sameShape(dy.shape, x.shape)) return [dy];
    const dx = gradient.into(0);
    kernel.pad({ part: dy, wholeOut: dx }, stretch(dx, from, to), Math.ceil(dx.size / 64));
    return [dx];
  });
};

/** @internal Returns the rows: a view if their alignment allows one, else a copy in the tensor that `into` makes. */
export function rowsFrom(
  x: Tensor,
  from: number,
  to: number,
  into = (): Tensor => empty(x.gpu, [to - from, ...x.shape.slice(1)], x.dtype, x.label),
): Tensor {
  const params = stretch(x, from, to);
  const size = params.end - params.start;
  const offset = 4 * params.start;
  if (size > 0 && offset % ALIGNMENT === 0) return x.view([to - from, ...x.shape.slice(1)], offset);
  const part = into();
  kernel.take({ whole: x, partOut: part }, params, Math.ceil(size / 64));
  return part;
}

/** @internal Writes `part` over the rows of `whole` that start at row `from`. */
export function putRows(part: Tensor, whole: Tensor, from: number): void {
  kernel.put({ part, wholeOut: whole }, stretch(whole, from, from + part.shape[0]!), Math.ceil(part.size / 64));
}

/** Returns which elements of the tensor the rows are, as the kernel's params. */
function stretch({ shape, size }: Tensor, from: number, to: number): { start: number; end: number; size: number } {
  const perRow = sizeOf(shape.slice(1));
  return { start: from * perRow, end: to * perRow, size };
}
