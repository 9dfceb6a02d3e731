import { atLeast, type Check, checkOptions, type OptionChecks } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { layerNorm } from '../ops/layerNorm.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { constantParameter } from './init.ts';
import { Module } from './module.ts';
import type { Parameter } from './parameter.ts';

export interface LayerNormOptions {
  /** Sizes of the last dimensions, over which each example is normalised, such as [64]; 64 means [64]. */
  normalizedShape: number | Shape;
  /** Added to the variance, >= 0, so that the deviation is not 0. Default: 1e-5. */
  eps?: number;
}

const sizes: Check = {
  wanted: 'a whole number >= 1 or an array of them',
  holds: (value) => {
    const all: unknown[] = Array.isArray(value) ? value : [value];
    return all.length > 0 && all.every((n) => Number.isSafeInteger(n) && (n as number) >= 1);
  },
};

const checks: OptionChecks<LayerNormOptions> = { normalizedShape: sizes, eps: /* @__PURE__ */ atLeast(0) };

/**
 * Normalises each example over its last dimensions to (x - mean) / sqrt(variance + eps) * weight + bias (`torch.nn.LayerNorm`). It does
 * the same in training and eval mode. x, y: f32 [..., ...normalizedShape].
 */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  private readonly eps: number;

  constructor(gpu: Gpu, options: LayerNormOptions) {
    super();
    checkGpu('LayerNorm', gpu);
    checkOptions('LayerNorm', options, checks, ['normalizedShape']);
    const { normalizedShape, eps = 1e-5 } = options;
    const shape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
    this.eps = eps;
    this.weight = constantParameter(gpu, shape, 1, 'weight');
    this.bias = constantParameter(gpu, shape, 0, 'bias');
    this.noteParameters();
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return layerNorm(x, { weight, bias, eps });
  }
}
