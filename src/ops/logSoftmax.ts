import source from '../../shaders/logSoftmax.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import rowSource from '../../shaders/softmax.row.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import type { Tensor } from '../tensor.ts';
import { ofRows, type SoftmaxOptions } from './softmax.ts';

const kernel = /* @__PURE__ */ defineKernel('logSoftmax', [rowsSource, rowSource, source], ['forward', 'backward']);

/**
 * Takes the logarithm of {@link softmax} along a dimension, accurate where the probability is too small to write down
 * (`torch.log_softmax(x / T, dim)`). x: f32 of any shape.
 *
 * @throws RangeError unless x has the dimension and f32 can work with the temperature
 */
export const logSoftmax = (x: Tensor, options: SoftmaxOptions = {}): Tensor => ofRows('logSoftmax', kernel, x, options);
