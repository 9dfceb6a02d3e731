import source from '../../shaders/logSoftmax.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import rowSource from '../../shaders/softmax.row.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import type { Tensor } from '../tensor.ts';
import { ofRows, type SoftmaxOptions } from './softmax.ts';

const kernel = /* @__PURE__ */ defineKernel('logSoftmax', [rowsSource, rowSource, source], ['forward', 'backward']);

/**
 * Logarithm of {@link softmax} over the last dimension, accurate where the probability is too small to write down
 * (`torch.log_softmax(x / T, -1)`). x: f32 of one dimension at least.
 *
 * @throws RangeError unless temperature is a finite number > 0
 */
export const logSoftmax = (x: Tensor, { temperature = 1 }: SoftmaxOptions = {}): Tensor =>
  ofRows('logSoftmax', kernel, x, temperature);
