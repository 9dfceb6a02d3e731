// Sums, and the means that are scaled sums. A dispatch reduces an axis to one number per chunk. If there are several chunks,
// another dispatch reduces those, and so on, so that long sums use the whole GPU in a fixed order of additions.
import rowsSource from '../../shaders/rows.wgsl';
import source from '../../shaders/sum.wgsl';
import { record } from '../autograd.ts';
import { checkOptions, flag, type OptionChecks, whole } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { type Axis, axisOf } from './shared/axis.ts';
import { splitAxis } from './shared/split.ts';

const kernel = /* @__PURE__ */ defineKernel('sum', [rowsSource, source], ['forward', 'backward']);

export interface ReduceOptions {
  /** Dimension to reduce; negative values count from the end. Default: all dimensions. */
  dim?: number;
  /** Keeps the reduced dimension, with size 1. Default: false. */
  keepdim?: boolean;
}

const checks: OptionChecks<ReduceOptions> = { dim: whole, keepdim: flag };

/** @internal Checks the options of a reduction and returns the axis that they choose. */
export function reducedAxis(who: string, x: Tensor, options: ReduceOptions, dim?: number): Axis {
  checkOptions(who, options, checks);
  return axisOf(who, x, options.dim ?? dim, options.keepdim);
}

/**
 * Sums over a dimension, or over all elements (`torch.sum`). x: f32 of any shape. The sum of no elements is 0.
 *
 * @throws RangeError if x has no such dimension
 */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  return scaledSum('sum', x, reducedAxis('sum', x, options), 1);
}

/** @internal Returns scale * sum along an axis. */
export function scaledSum(name: string, x: Tensor, axis: Axis, scale: number): Tensor {
  const { gpu } = x;
  const y = empty(gpu, axis.rest, 'f32', name);
  reduce(x, axis, scale, y);
  return record(name, [x], y, [], (dy, gradient) => {
    const { n, inner } = axis;
    const dx = gradient.into(0);
    const { size } = dx;
    kernel.backward({ dy, dx }, { n, inner, chunk: n, chunks: 1, size, scale }, Math.ceil(size / 64));
    return [dx];
  });
}

function reduce(x: Tensor, axis: Axis, scale: number, y: Tensor): void {
  const { outer, n, inner } = axis;
  const { constants, rowsAtOnce, chunk } = splitAxis(x.gpu, axis);
  const chunks = Math.max(1, Math.ceil(n / chunk));
  const part = chunks === 1 ? y : empty(x.gpu, [outer, chunks, inner], 'f32', 'partial sums');
  const { size } = part;
  const params = { n, inner, chunk, chunks, size, scale: chunks === 1 ? scale : 1 };
  kernel.forward({ x, y: part }, params, Math.ceil(size / rowsAtOnce), { constants });
  if (part === y) return;
  reduce(part, { ...axis, n: chunks }, scale, y);
  part.dispose();
}
