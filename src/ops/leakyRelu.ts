import source from '../../shaders/leakyRelu.wgsl';
import shared from '../../shaders/unary.wgsl';
import { anyNumber, checkOptions, inF32, type OptionChecks } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Tensor } from '../tensor.ts';
import { mapEach } from './shared/unary.ts';

const kernel = /* @__PURE__ */ defineKernel('leakyRelu', [source, shared], ['forward', 'backward']);

export interface LeakyReluOptions {
  /** Factor of negative elements. Each value compiles a kernel of its own. Default: 0.01. */
  negativeSlope?: number;
}

/** @internal */
export const leakyReluChecks: OptionChecks<LeakyReluOptions> = { negativeSlope: /* @__PURE__ */ inF32(anyNumber) };

/**
 * Multiplies negative elements by a small factor and keeps the others (`torch.nn.functional.leaky_relu`). x, y: f32 of any shape. The
 * gradient at 0 is the factor.
 */
export function leakyRelu(x: Tensor, options: LeakyReluOptions = {}): Tensor {
  checkOptions('leakyRelu', options, leakyReluChecks);
  return mapEach('leakyRelu', x, { kernel, slopeOf: 'x', own: { SLOPE: options.negativeSlope ?? 0.01 } });
}
