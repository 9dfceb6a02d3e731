import { record } from '../autograd.ts';
import { checkValue, show } from '../checks/options.ts';
import { type Shape, sameShape, showShape } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectTensor } from './shared/expect.ts';
import { putRows, rowsFrom } from './sliceRows.ts';

/**
 * Concatenates tensors along the first dimension (`torch.cat`). parts: [n_k, ...] of one element type, with equal sizes in all
 * other dimensions; y: [sum of n_k, ...]. `dim` can only be 0. Shares memory with the parts if they are views of one tensor
 * that lie side by side in this order, as {@link sliceRows} returns them; otherwise y is a copy.
 *
 * @throws TypeError if there are no parts, or if they do not fit each other
 */
export function concat(parts: readonly Tensor[], dim: 0 = 0): Tensor {
  if (!Array.isArray(parts))
    throw new TypeError(`concat: expected an array of tensors but got ${show(parts)}; write concat([a, b])`);
  checkValue('concat', 'dim', dim, { wanted: '0, the only dimension it joins along,', holds: (value) => value === 0 });
  if (parts.length === 0) throw new TypeError('concat: there are no parts; give at least one');
  for (const [k, part] of parts.entries()) expectTensor('concat', `parts[${k}]`, part);
  const first: Tensor = parts[0]!;
  const [, ...rest] = first.shape;
  for (const { shape, dtype } of parts) {
    if (shape.length > 0 && sameShape(shape.slice(1), rest) && dtype === first.dtype) continue;
    throw new TypeError(
      `concat: a part is ${dtype} ${showShape(shape)} but the first is ${first.dtype} ${showShape(first.shape)}; all sizes but the first must be equal`,
    );
  }
  let rows = 0;
  const starts = parts.map(({ shape }) => {
    rows += shape[0]!;
    return rows - shape[0]!;
  });
  const shape = [rows, ...rest];
  const y = sideBySide(parts) ? first.view(shape) : copyOf(parts, starts, shape);
  return record('concat', [...parts], y, [], (dy, gradient) =>
    parts.map(({ shape: [n] }, k) => {
      const from = starts[k]!;
      return gradient.needs(k) ? rowsFrom(dy, from, from + n!, () => gradient.into(k)) : null;
    }),
  );
}

function copyOf(parts: readonly Tensor[], starts: readonly number[], shape: Shape): Tensor {
  const y = empty(parts[0]!.gpu, shape, parts[0]!.dtype, 'concat');
  for (const [k, part] of parts.entries()) putRows(part, y, starts[k]!);
  return y;
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
