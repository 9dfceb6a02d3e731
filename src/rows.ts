import type { Gpu } from './gpu/gpu.ts';
import { type Shape, showShape, sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** @internal Constants of a kernel with `rows.wgsl`, and the rows that its workgroup of 64 takes at a time. */
export interface RowSplit {
  constants: { LANES: number };
  rowsAtOnce: number;
}

/**
 * @internal
 * How many lanes share a row. On a GPU neighbours that read neighbours share a line of the cache, so longer rows get more
 * of them. A processor that plays the GPU has its cache to itself, and barriers cost it more than a longer loop.
 */
export function splitRows(gpu: Gpu, cols: number): RowSplit {
  const LANES = gpu.gemmFamily !== 'workgroup' ? 1 : 2 ** Math.min(6, Math.ceil(Math.log2(Math.max(1, cols / 4))));
  return { constants: { LANES }, rowsAtOnce: 64 / LANES };
}

/**
 * @internal
 * How many elements an invocation takes of a tensor that is walked through element by element, and the workgroups of 64. To
 * begin an invocation costs a processor that plays the GPU more than several elements do.
 */
export function splitElements(gpu: Gpu, size: number): { constants: { PER: number }; groups: number } {
  const PER = gpu.gemmFamily !== 'workgroup' ? 16 : 1;
  return { constants: { PER }, groups: Math.ceil(size / (64 * PER)) };
}

/** @internal Rows and columns of `x`, which must be [n, C] with a column at least. */
export function expectMatrix(who: string, name: string, x: Tensor): [rows: number, cols: number] {
  const [rows, cols] = x.shape;
  if (x.shape.length === 2 && cols! > 0) return [rows!, cols!];
  throw new TypeError(`${who}: ${name} must be [n, C] with C > 0 but is ${showShape(x.shape)}`);
}

/** @internal The temperature of a softmax, which must be a number > 0. */
export function checkTemperature(who: string, temperature: number): void {
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new RangeError(`${who}: temperature must be a finite number > 0 but is ${temperature}`);
}

/** @internal How a loss is reduced; what is misspelt would pass for a sum. */
export function checkReduction(who: string, reduction: string): void {
  if (!['mean', 'sum', 'none'].includes(reduction))
    throw new RangeError(`${who}: reduction must be mean, sum or none but is ${reduction}`);
}

/** @internal A tensor as [outer, n, inner] around the dimension that is reduced. */
export interface Axis {
  outer: number;
  n: number;
  inner: number;
  /** Shape without that dimension. */
  rest: Shape;
}

/** @internal The dimension `dim` of `x`, counted from the end where it is negative; everything as one without `dim`. */
export function axisOf(who: string, { shape, size }: Tensor, dim: number | undefined): Axis {
  if (dim === undefined) return { outer: 1, n: size, inner: 1, rest: [] };
  // A single number counts as one of one dimension, as in PyTorch.
  const rank = Math.max(1, shape.length);
  const axis = dim < 0 ? dim + rank : dim;
  if (!(Number.isInteger(axis) && axis >= 0 && axis < rank)) {
    throw new RangeError(
      `${who}: dim is ${dim}, but x is ${showShape(shape)}; it must be a whole number from ${-rank} to ${rank - 1}`,
    );
  }
  const [before, after] = [shape.slice(0, axis), shape.slice(axis + 1)];
  return { outer: sizeOf(before), n: shape[axis] ?? 1, inner: sizeOf(after), rest: [...before, ...after] };
}

/** @internal How a kernel reduces an axis: lanes along it, and the length it takes at a time before it needs another go. */
export function splitAxis(gpu: Gpu, { n, inner }: Axis): RowSplit & { chunk: number } {
  // Neighbouring lanes read neighbouring elements: those along the axis where it is the innermost.
  const { constants, rowsAtOnce } = splitRows(gpu, inner < 8 ? n : 1);
  const { LANES } = constants;
  return { constants, rowsAtOnce, chunk: Math.max(1, Math.min(n, LANES === 1 ? 256 : 64 * LANES)) };
}
