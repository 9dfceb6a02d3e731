// Maxima and their indices. Like a sum, a long axis is reduced chunk by chunk in several dispatches. The first one reads the
// elements, the further ones read what was found before and carry the index along.
import source from '../../shaders/max.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { record } from '../autograd.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { showShape } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import type { Axis } from './shared/axis.ts';
import { splitAxis } from './shared/split.ts';
import { type ReduceOptions, reducedAxis, sum } from './sum.ts';

const kernel = /* @__PURE__ */ defineKernel(
  'max',
  [rowsSource, source],
  ['forward', 'further', 'backward', 'isLargest', 'share'],
);

/**
 * Takes the largest element along a dimension (the values of `torch.max(x, dim)`), or of all elements (`torch.max(x)`). x: f32
 * of any shape. NaN is larger than any number. `argmax` returns where the largest element is.
 *
 * The gradient along a dimension goes to the first of the largest elements. The gradient of the maximum of all elements is
 * spread evenly over them, as in PyTorch.
 *
 * @throws RangeError if x has no such dimension, or no elements along it
 */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  const axis = reducedAxis('max', x, options);
  const [y, at] = largest('max', x, axis);
  const params = { n: axis.n, inner: axis.inner, chunk: axis.n, chunks: 1, size: x.size };
  const groups = Math.ceil(x.size / 64);
  if (options.dim !== undefined) {
    return record('max', [x], y, [at], (dy, gradient) => {
      const dx = gradient.into(0);
      kernel.backward({ atIn: at, dy, dx }, params, groups);
      return [dx];
    });
  }
  at.dispose();
  return record('max', [x], y, [x, y], (dy, gradient) => {
    const dx = gradient.into(0);
    kernel.isLargest({ x, yIn: y, dx }, params, groups);
    kernel.share({ dy, count: sum(dx), dx }, params, groups);
    return [dx];
  });
}

/** @internal Returns the largest elements along an axis (f32) and their indices (u32). */
export function largest(who: string, x: Tensor, axis: Axis): [y: Tensor, at: Tensor] {
  if (axis.n === 0 && axis.outer * axis.inner > 0)
    throw new RangeError(`${who}: x is ${showShape(x.shape)}, which has no elements to choose from`);
  return reduce(x, axis);
}

function reduce(x: Tensor, axis: Axis, atOfX?: Tensor): [Tensor, Tensor] {
  const { gpu } = x;
  const { outer, n, inner, rest } = axis;
  const { constants, rowsAtOnce, chunk } = splitAxis(gpu, axis);
  const chunks = Math.max(1, Math.ceil(n / chunk));
  const shape = chunks === 1 ? rest : [outer, chunks, inner];
  const y = empty(gpu, shape, 'f32', 'max');
  const at = empty(gpu, shape, 'u32', 'argmax');
  const params = { n, inner, chunk, chunks, size: y.size };
  const groups = Math.ceil(y.size / rowsAtOnce);
  if (atOfX) kernel.further({ x, atOfX, y, at }, params, groups, { constants });
  else kernel.forward({ x, y, at }, params, groups, { constants });
  if (chunks === 1) return [y, at];
  const found = reduce(y, { ...axis, n: chunks }, at);
  y.dispose();
  at.dispose();
  return found;
}
