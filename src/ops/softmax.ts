import rowsSource from '../../shaders/rows.wgsl';
import rowSource from '../../shaders/softmax.row.wgsl';
import source from '../../shaders/softmax.wgsl';
import { record } from '../autograd.ts';
import { checkOptions, type OptionChecks, whole, within } from '../checks/options.ts';
import { defineKernel, type Kernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { axisOf } from './shared/axis.ts';
import { splitAxis } from './shared/split.ts';

const kernel = /* @__PURE__ */ defineKernel('softmax', [rowsSource, rowSource, source], ['forward', 'backward']);

export interface SoftmaxOptions {
  /** The dimension whose elements become probabilities; negative ones count from the end. Default: -1, the last. */
  dim?: number;
  /** Divides x first, from 1e-30 to 1e30: the lower, the more the largest takes all. Default: 1. */
  temperature?: number;
}

/** @internal A temperature: 1 / T, and a difference of logits divided by T, must fit f32. */
export const temperatures = /* @__PURE__ */ within(1e-30, 1e30);

const checks: OptionChecks<SoftmaxOptions> = { dim: whole, temperature: temperatures };

/**
 * Turns logits into probabilities exp(x / T) / sum exp(x / T) along a dimension (`torch.softmax(x / T, dim)`). x: f32 of any
 * shape. Gives NaN where PyTorch does: if a row holds NaN or its largest element is infinite.
 *
 * @throws RangeError unless x has the dimension and f32 can work with the temperature
 */
export const softmax = (x: Tensor, options: SoftmaxOptions = {}): Tensor => ofRows('softmax', kernel, x, options);

/** @internal softmax or its logarithm: kernels that go along rows, and backward from their output. */
export function ofRows(
  name: string,
  kernel: Kernel<'forward' | 'backward'>,
  x: Tensor,
  options: SoftmaxOptions,
): Tensor {
  checkOptions(name, options, checks);
  const { dim = -1, temperature = 1 } = options;
  const axis = axisOf(name, x, dim);
  const { outer, n: cols, inner } = axis;
  const rows = outer * inner;
  const { constants, rowsAtOnce } = splitAxis(x.gpu, axis);
  const variant = inner === 1 ? constants : { ...constants, STRIDED: 1 };
  const params = { rows, cols, inner, scale: 1 / temperature };
  const groups = x.size === 0 ? 0 : Math.ceil(rows / rowsAtOnce);
  const y = empty(x.gpu, x.shape, 'f32', name);
  kernel.forward({ x, y }, params, groups, { constants: variant });
  return record(name, [x], y, [y], (dy, gradient) => {
    const dx = gradient.into(0);
    kernel.backward({ yIn: y, dy, dx }, params, groups, { constants: variant });
    return [dx];
  });
}
