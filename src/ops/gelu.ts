import source from '../../shaders/gelu.wgsl';
import shared from '../../shaders/unary.wgsl';
import { checkOptions, type OptionChecks, oneOf } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Tensor } from '../tensor.ts';
import { mapEach } from './shared/unary.ts';

const kernel = /* @__PURE__ */ defineKernel('gelu', [source, shared], ['forward', 'backward']);

export interface GeluOptions {
  /** `none` for the exact function, `tanh` for the approximation of GPT-2 and BERT. Default: `none`. */
  approximate?: 'none' | 'tanh';
}

/** @internal */
export const geluChecks: OptionChecks<GeluOptions> = { approximate: /* @__PURE__ */ oneOf('none', 'tanh') };

/**
 * Computes x P(X <= x) for a standard normal X (`torch.nn.functional.gelu`; Hendrycks & Gimpel 2016). x, y: f32 of any shape. Unlike in
 * PyTorch, results for large negative x keep their digits, and y at -infinity is 0.
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  checkOptions('gelu', options, geluChecks);
  return mapEach('gelu', x, { kernel, slopeOf: 'x', own: { TANH: Number(options.approximate === 'tanh') } });
}
