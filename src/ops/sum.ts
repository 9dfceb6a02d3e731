import rowsSource from '../../shaders/rows.wgsl';
import source from '../../shaders/sum.wgsl';
import { record } from '../autograd.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { type Axis, axisOf, splitAxis } from '../rows.ts';
import { empty, type Tensor } from '../tensor.ts';

const kernel = /* @__PURE__ */ defineKernel('sum', [rowsSource, source], ['forward', 'backward']);

export interface ReduceOptions {
  /** The dimension to go along, which the result lacks; negative ones count from the end. Without, all elements are taken. */
  dim?: number;
}

/** Sum along a dimension, or of all elements (`torch.sum`). x: f32 of any shape. A sum of nothing is 0. */
export function sum(x: Tensor, { dim }: ReduceOptions = {}): Tensor {
  return scaledSum('sum', x, axisOf('sum', x, dim), 1);
}

/** @internal scale * sum along an axis. */
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
  kernel.forward({ x, y: part }, params, Math.ceil(size / rowsAtOnce), constants);
  if (part === y) return;
  reduce(part, { ...axis, n: chunks }, scale, y);
  part.dispose();
}
