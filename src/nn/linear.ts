import { checkOptions, flag, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { linear } from '../ops/linear.ts';
import type { Random } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import { aRandom, uniformParameter } from './init.ts';
import type { Parameter } from './parameter.ts';
import { type ForwardOptions, RectifyingModule, wantsRelu } from './rectifying.ts';

export interface LinearOptions {
  /** Features of the input. */
  inFeatures: number;
  /** Features of the output. */
  outFeatures: number;
  /** Adds a learned bias to each output. Default: true. */
  bias?: boolean;
  /** Source of the initial weights. */
  random: Random;
}

const checks: OptionChecks<LinearOptions> = {
  inFeatures: /* @__PURE__ */ wholeFrom(1),
  outFeatures: /* @__PURE__ */ wholeFrom(1),
  bias: flag,
  random: aRandom,
};

/**
 * Computes y = x weight^T + bias (`torch.nn.Linear`). x: f32 [..., inFeatures]; y: f32 [..., outFeatures]. `random` draws the
 * initial weights as PyTorch's default does.
 */
export class Linear extends RectifyingModule {
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(gpu: Gpu, options: LinearOptions) {
    super();
    checkGpu('Linear', gpu);
    checkOptions('Linear', options, checks, ['inFeatures', 'outFeatures', 'random']);
    const { inFeatures, outFeatures, bias = true, random } = options;
    this.weight = uniformParameter(gpu, [outFeatures, inFeatures], inFeatures, random, 'weight');
    this.bias = bias ? uniformParameter(gpu, [outFeatures], inFeatures, random, 'bias') : null;
    this.noteParameters();
  }

  override get rectifiesBefore(): boolean {
    return false;
  }

  forward(x: Tensor, options?: ForwardOptions): Tensor {
    return linear(x, this.weight, this.bias, { relu: wantsRelu('Linear', options) });
  }
}
