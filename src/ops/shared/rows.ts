import { checkValue, oneOf, within } from '../../checks/options.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { type Shape, showShape, sizeOf } from '../../shape.ts';
import { expectDtype, type Tensor } from '../../tensor.ts';

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

/** @internal Rows and columns of `x`, which must be f32 [n, C] with C > 0. */
export function expectMatrix(who: string, name: string, x: Tensor): [rows: number, cols: number] {
  expectDtype(who, name, x, 'f32');
  const [rows, cols] = x.shape;
  if (x.shape.length === 2 && cols! > 0) return [rows!, cols!];
  throw new TypeError(`${who}: ${name} must be [n, C] with C > 0 but is ${showShape(x.shape)}`);
}

/** @internal What a softmax divides by. Beyond these limits 1 / T, or a difference of logits times it, would not fit f32. */
export const temperatures = /* @__PURE__ */ within(1e-30, 1e30);

/** @internal Throws unless it is a temperature that f32 can work with. */
export const checkTemperature = (who: string, temperature: number): void =>
  checkValue(who, 'temperature', temperature, temperatures);

/** @internal How a loss is reduced. */
export const reductions = /* @__PURE__ */ oneOf('mean', 'sum', 'none');

/** @internal A tensor as [outer, n, inner] around the dimension that is reduced. */
export interface Axis {
  outer: number;
  n: number;
  inner: number;
  /** Shape of what is left: without that dimension, or with a size of 1 there. */
  rest: Shape;
}

/**
 * @internal
 * The dimension `dim` of `x`, which must be f32; negative ones count from the end. Without `dim`, all of them as one.
 */
export function axisOf(who: string, x: Tensor, dim?: number, keepdim = false): Axis {
  expectDtype(who, 'x', x, 'f32');
  const { shape, size } = x;
  if (dim === undefined) return { outer: 1, n: size, inner: 1, rest: keepdim ? shape.map(() => 1) : [] };
  // A single number counts as one of one dimension, as in PyTorch.
  const rank = Math.max(1, shape.length);
  const axis = dim < 0 ? dim + rank : dim;
  if (!(Number.isInteger(axis) && axis >= 0 && axis < rank)) {
    throw new RangeError(
      `${who}: dim is ${dim}, but x is ${showShape(shape)}; it must be a whole number from ${-rank} to ${rank - 1}`,
    );
  }
  const [before, after] = [shape.slice(0, axis), shape.slice(axis + 1)];
  const own = keepdim && shape.length > 0 ? [1] : [];
  return { outer: sizeOf(before), n: shape[axis] ?? 1, inner: sizeOf(after), rest: [...before, ...own, ...after] };
}

/** @internal How a kernel reduces an axis: lanes along it, and the length it takes at a time before it needs another go. */
export function splitAxis(gpu: Gpu, { n, inner }: Axis): RowSplit & { chunk: number } {
  // Neighbouring lanes read neighbouring elements: those along the axis where it is the innermost.
  const { constants, rowsAtOnce } = splitRows(gpu, inner < 8 ? n : 1);
  const { LANES } = constants;
  return { constants, rowsAtOnce, chunk: Math.max(1, Math.min(n, LANES === 1 ? 256 : 64 * LANES)) };
}
