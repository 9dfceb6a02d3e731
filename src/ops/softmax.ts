import rowsSource from '../../shaders/rows.wgsl';
import rowSource from '../../shaders/softmax.row.wgsl';
import source from '../../shaders/softmax.wgsl';
import { record } from '../autograd.ts';
import { checkOptions, type OptionChecks, whole, within } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { axisOf } from './shared/axis.ts';
import { splitAxis } from './shared/split.ts';

const kernel = /* @__PURE__ */ defineKernel(
  'softmax',
  [rowsSource, rowSource, source],
  ['forward', 'backward', 'logForward', 'logBackward'],
);

export interface SoftmaxOptions {
  /** Dimension whose elements become probabilities; negative values count from the end. Default: -1, the last. */
  dim?: number;
  /** Divides x before the softmax, from 1e-30 to 1e30. The lower it is, the closer the largest probability is to 1. Default: 1. */
  temperature?: number;
}

/** @internal A temperature: 1 / T, and a difference of logits divided by T, must fit f32. */
export const temperatures = /* @__PURE__ */ within(1e-30, 1e30);

const checks: OptionChecks<SoftmaxOptions> = { dim: whole, temperature: temperatures };

/**
 * Computes the probabilities exp(x / T) / sum exp(x / T) along a dimension (`torch.softmax(x / T, dim)`). x, y: f32 of any
 * shape. A row gives NaN if it holds NaN or if its largest element is infinite, as in PyTorch.
 *
 * @throws RangeError if x has no such dimension, or if the temperature is out of range
 */
export const softmax = (x: Tensor, options: SoftmaxOptions = {}): Tensor =>
  alongRows('softmax', x, options, kernel.forward, kernel.backward);

/**
 * Computes the logarithm of {@link softmax} along a dimension (`torch.log_softmax(x / T, dim)`). It is accurate even if the
 * probability itself is too small for f32. x, y: f32 of any shape.
 *
 * @throws RangeError as softmax does
 */
export const logSoftmax = (x: Tensor, options: SoftmaxOptions = {}): Tensor =>
  alongRows('logSoftmax', x, options, kernel.logForward, kernel.logBackward);

function alongRows(
  name: string,
  x: Tensor,
  options: SoftmaxOptions,
  forward: typeof kernel.forward,
  backward: typeof kernel.backward,
): Tensor {
  checkOptions(name, options, checks);
  const { dim = -1, temperature = 1 } = options;
  const axis = axisOf(name, x, dim);
  const { outer, n: cols, inner } = axis;
  const rows = outer * inner;
  const { constants: lanes, rowsAtOnce } = splitAxis(x.gpu, axis);
  const constants = inner === 1 ? lanes : { ...lanes, STRIDED: 1 };
  const params = { rows, cols, inner, scale: 1 / temperature };
  const groups = x.size === 0 ? 0 : Math.ceil(rows / rowsAtOnce);
  const y = empty(x.gpu, x.shape, 'f32', name);
  forward({ x, y }, params, groups, { constants });
  return record(name, [x], y, [y], (dy, gradient) => {
    const dx = gradient.into(0);
    backward({ yIn: y, dy, dx }, params, groups, { constants });
    return [dx];
  });
}
