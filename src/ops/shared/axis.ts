import { type Shape, showShape, sizeOf } from '../../shape.ts';
import type { Tensor } from '../../tensor.ts';
import { expectDtype } from './expect.ts';

/** @internal A tensor as [outer, n, inner], with the dimension that an op reduces in the middle. */
export interface Axis {
  outer: number;
  n: number;
  inner: number;
  /** Shape of the result: without the reduced dimension, or with a size of 1 there. */
  rest: Shape;
}

/**
 * @internal
 * Returns dimension `dim` of `x`, f32 of any shape. A negative `dim` counts from the end. Without `dim` all dimensions are
 * one axis. Throws `RangeError` if `x` has no such dimension.
 */
export function axisOf(who: string, x: Tensor, dim?: number, keepdim = false): Axis {
  expectDtype(who, 'x', x, 'f32');
  const { shape, size } = x;
  if (dim === undefined) return { outer: 1, n: size, inner: 1, rest: keepdim ? shape.map(() => 1) : [] };
  const axis = dimensionOf(who, shape, dim);
  const [before, after] = [shape.slice(0, axis), shape.slice(axis + 1)];
  const own = keepdim && shape.length > 0 ? [1] : [];
  return { outer: sizeOf(before), n: shape[axis] ?? 1, inner: sizeOf(after), rest: [...before, ...own, ...after] };
}

/**
 * @internal
 * Returns dimension `dim` of a shape, counted from 0. A negative `dim` counts from the end. Throws `RangeError` if the shape has no
 * such dimension.
 */
export function dimensionOf(who: string, shape: Shape, dim: number): number {
  // A single number has one dimension here, as in PyTorch.
  const rank = Math.max(1, shape.length);
  const axis = dim < 0 ? dim + rank : dim;
  if (Number.isInteger(axis) && axis >= 0 && axis < rank) return axis;
  throw new RangeError(
    `${who}: dim is ${dim}, but x is ${showShape(shape)}; it must be a whole number from ${-rank} to ${rank - 1}`,
  );
}
