import rowsSource from '../../shaders/rows.wgsl';
import rowSource from '../../shaders/softmax.row.wgsl';
import source from '../../shaders/softmax.wgsl';
import { record } from '../autograd.ts';
import { defineKernel, type Kernel } from '../gpu/kernel.ts';
import { checkTemperature, splitRows } from '../rows.ts';
import { rowsAndCols } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';

const kernel = /* @__PURE__ */ defineKernel('softmax', [rowsSource, rowSource, source], ['forward', 'backward']);

export interface SoftmaxOptions {
  /** Divides x first: the lower, the more the largest takes all. */
  temperature?: number;
}

/**
 * Probabilities exp(x / T) / sum exp(x / T) over the last dimension (`torch.softmax(x / T, -1)`). x: f32 of one dimension at
 * least. Where PyTorch has NaN, because a row holds NaN or its largest element is infinite, so has this.
 *
 * @throws RangeError unless temperature is a finite number > 0
 */
export const softmax = (x: Tensor, { temperature = 1 }: SoftmaxOptions = {}): Tensor =>
  ofRows('softmax', kernel, x, temperature);

/** @internal softmax or its logarithm: kernels that go along rows, and backward from their output. */
export function ofRows(name: string, kernel: Kernel<'forward' | 'backward'>, x: Tensor, temperature: number): Tensor {
  checkTemperature(name, temperature);
  const [rows, cols] = rowsAndCols(name, x.shape);
  const { constants, rowsAtOnce } = splitRows(x.gpu, cols);
  const params = { rows, cols, scale: 1 / temperature };
  const groups = Math.ceil(rows / rowsAtOnce);
  const y = empty(x.gpu, x.shape, 'f32', name);
  kernel.forward({ x, y }, params, groups, constants);
  return record(name, [x], y, [y], (dy, gradient) => {
    const dx = gradient.into(0);
    kernel.backward({ yIn: y, dy, dx }, params, groups, constants);
    return [dx];
  });
}
