import { record } from '../autograd.ts';
import { sameShape, showShape } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { putRows, rowsFrom } from './sliceRows.ts';

/**
 * Tensors one below the other (`torch.cat` along the first dimension). parts: [n_k, ...], equal in all other dimensions
 * and in element type; y: [sum of n_k, ...].
 *
 * @throws TypeError where the parts do not fit each other
 */
export function concat(parts: readonly Tensor[]): Tensor {
  const [first] = parts;
  if (!first) throw new TypeError('concat: there are no parts; give one at least');
  const [, ...rest] = first.shape;
  for (const { shape, dtype } of parts) {
    if (shape.length > 0 && sameShape(shape.slice(1), rest) && dtype === first.dtype) continue;
    throw new TypeError(
      `concat: a part is ${dtype} ${showShape(shape)} but the first is ${first.dtype} ${showShape(first.shape)}; make all but the number of rows equal`,
    );
  }
  let rows = 0;
  const starts = parts.map(({ shape }) => {
    rows += shape[0]!;
    return rows - shape[0]!;
  });
  const y = empty(first.gpu, [rows, ...rest], first.dtype, 'concat');
  for (const [k, part] of parts.entries()) putRows(part, y, starts[k]!);
  return record('concat', [...parts], y, [], (dy, gradient) =>
    parts.map(({ shape: [n] }, k) => {
      const from = starts[k]!;
      return gradient.needs(k) ? rowsFrom(dy, from, from + n!, () => gradient.into(k)) : null;
    }),
  );
}
