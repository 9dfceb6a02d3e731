import source from '../../shaders/slice.wgsl';
import { record } from '../autograd.ts';
import { checkOptions, type OptionChecks, whole } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { type Shape, sameShape, showShape, sizeOf } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { dimensionOf } from './shared/axis.ts';
import { expectTensor } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('slice', source, ['take', 'put', 'pad']);

// WebGPU's largest offset alignment of a storage binding, in bytes. Every tensor starts at a multiple of it.
const ALIGNMENT = 256;

export interface SliceOptions {
  /** Dimension to slice; negative values count from the end. Default: 0, the rows. */
  dim?: number;
}

const checks: OptionChecks<SliceOptions> = { dim: whole };

/** @internal Elements `start` to `end` - 1 along dimension `dim`. */
export interface Range {
  dim: number;
  start: number;
  end: number;
}

/**
 * Selects elements `start` to `end` - 1 along a dimension (`x[start:end]` or `x[:, start:end]` in PyTorch). x: any shape and element
 * type; y: the same shape, but `end - start` along the dimension. y shares the memory of x if it is a single stretch of it that starts
 * at a multiple of 256 bytes; otherwise it is a copy.
 *
 * @throws RangeError unless 0 <= start <= end <= the size of the dimension
 */
export function slice(x: Tensor, start: number, end: number, options: SliceOptions = {}): Tensor {
  expectTensor('slice', 'x', x);
  checkOptions('slice', options, checks);
  if (x.shape.length === 0) throw new TypeError('slice: x is a single number; it must have a dimension');
  const dim = dimensionOf('slice', x.shape, options.dim ?? 0);
  const n = x.shape[dim]!;
  if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end && end <= n)) {
    throw new RangeError(
      `slice: ${start} to ${end} is not in dimension ${dim} of x ${showShape(x.shape)}; use 0 <= start <= end <= ${n}`,
    );
  }
  const range = { dim, start, end };
  const y = takeRange(x, range);
  return record('slice', [x], y, [], (dy, gradient) => {
    if (sameShape(dy.shape, x.shape)) return [dy];
    const dx = gradient.into(0);
    kernel.pad({ part: dy, wholeOut: dx }, { ...stretch(dx.shape, range), size: dx.size }, Math.ceil(dx.size / 64));
    return [dx];
  });
}

/** @internal Returns a range: a view if it is a stretch whose alignment allows one, else a copy in the tensor that `into` makes. */
export function takeRange(
  x: Tensor,
  range: Range,
  into = (shape: Shape): Tensor => empty(x.gpu, shape, x.dtype, x.label),
): Tensor {
  const { dim, start, end } = range;
  const shape = x.shape.with(dim, end - start);
  const size = sizeOf(shape);
  const place = stretch(x.shape, range);
  const offset = 4 * place.start;
  if (size > 0 && size === place.length && offset % ALIGNMENT === 0) return x.view(shape, offset);
  const part = into(shape);
  kernel.take({ whole: x, partOut: part }, { ...place, size }, Math.ceil(size / 64));
  return part;
}

/** @internal Writes `part` into `whole`, from index `start` of dimension `dim` on. */
export function putRange(part: Tensor, whole: Tensor, { dim, start }: Omit<Range, 'end'>): void {
  const place = stretch(whole.shape, { dim, start, end: start + part.shape[dim]! });
  kernel.put({ part, wholeOut: whole }, { ...place, size: part.size }, Math.ceil(part.size / 64));
}

/** Returns where the range lies in every row of the tensor as a matrix [rows, width]. */
function stretch(shape: Shape, { dim, start, end }: Range): { start: number; length: number; width: number } {
  const inner = sizeOf(shape.slice(dim + 1));
  return { start: start * inner, length: (end - start) * inner, width: shape[dim]! * inner };
}
