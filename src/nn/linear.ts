import { checkOptions, flag, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { linear } from '../ops/linear.ts';
import type { Random } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import { aRandom, uniformParameter } from './init.ts';
import type { Parameter } from './parameter.ts';
import { type ForwardOptions, RectifyingModule, wantsRelu } from './rectifying.ts';

export interface LinearOptions {
  inFeatures: number;
  outFeatures: number;
  /** Whether to add a learnt bias to each output. Default: true. */
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

/** y = x W^T + b, [n, inFeatures] -> [n, outFeatures] (`torch.nn.Linear`). */
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
  }

  override get rectifiesBefore(): boolean {
    return false;
  }

  forward(x: Tensor, options?: ForwardOptions): Tensor {
    return linear(x, this.weight, this.bias, { relu: wantsRelu('Linear', options) });
  }
}
