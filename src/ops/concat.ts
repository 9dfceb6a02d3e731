import { record } from '../autograd.ts';
import { checkValue, show, whole } from '../checks/options.ts';
import { showShape } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { dimensionOf } from './shared/axis.ts';
import { expectTensor } from './shared/expect.ts';
import { putRange, takeRange } from './slice.ts';

/**
 * Concatenates tensors along a dimension (`torch.cat`). parts: one or more tensors of one element type, with equal sizes in all other
 * dimensions; y: the sum of their sizes along the dimension. A negative `dim` counts from the end. Shares memory with the parts if they
 * are rows of one tensor that lie side by side in this order, as {@link slice} returns them; otherwise y is a copy.
 *
 * @param dim the dimension, default 0
 * @throws TypeError if there are no parts, or if they do not fit each other
 * @throws RangeError if the parts have no such dimension
 */
export function concat(parts: readonly Tensor[], dim = 0): Tensor {
  if (!Array.isArray(parts))
    throw new TypeError(`concat: expected an array of tensors but got ${show(parts)}; write concat([a, b])`);
  checkValue('concat', 'dim', dim, whole);
  if (parts.length === 0) throw new TypeError('concat: there are no parts; give at least one');
  for (const [k, part] of parts.entries()) expectTensor('concat', `parts[${k}]`, part);
  const first: Tensor = parts[0]!;
  const axis = dimensionOf('concat', first.shape, dim);
  for (const { shape, dtype } of parts) {
    const fits = shape.length > 0 && shape.length === first.shape.length && dtype === first.dtype;
    if (fits && shape.every((n: number, d: number) => d === axis || n === first.shape[d])) continue;
    throw new TypeError(
      `concat: a part is ${dtype} ${showShape(shape)} but the first is ${first.dtype} ${showShape(first.shape)}; all sizes but that of dimension ${axis} must be equal`,
    );
  }
  let total = 0;
  const starts = parts.map(({ shape }) => {
    total += shape[axis]!;
    return total - shape[axis]!;
  });
  const shape = first.shape.with(axis, total);
  const shared = first.shape.slice(0, axis).every((n) => n === 1) && sideBySide(parts);
  const y = shared ? first.view(shape) : empty(first.gpu, shape, first.dtype, 'concat');
  if (!shared) for (const [k, part] of parts.entries()) putRange(part, y, { dim: axis, start: starts[k]! });
  return record('concat', [...parts], y, [], (dy, gradient) =>
    parts.map((part, k) => {
      const range = { dim: axis, start: starts[k]!, end: starts[k]! + part.shape[axis]! };
      return gradient.needs(k) ? takeRange(dy, range, () => gradient.into(k)) : null;
    }),
  );
}

/** Whether two or more parts are views of one tensor, each beginning where the one before ends. */
function sideBySide(parts: readonly Tensor[]): boolean {
  const first = parts[0]!;
  let end = first.byteOffset;
  return (
    parts.length > 1 &&
    parts.every((part) => {
      const follows = part.version === first.version && part.byteOffset === end;
      end += part.byteLength;
      return follows;
    })
  );
}
