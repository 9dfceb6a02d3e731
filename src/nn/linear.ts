import { checkWhole } from '../checkNumbers.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { linear } from '../ops/linear.ts';
import type { Random } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import { uniformParameter } from './init.ts';
import type { Parameter } from './parameter.ts';
import { RectifyingModule } from './rectifying.ts';

export interface LinearOptions {
  inFeatures: number;
  outFeatures: number;
  /** Whether something is added to each output: true by default. */
  bias?: boolean;
  /** Source of the initial weights. */
  random: Random;
}

/** y = x W^T + b, [n, inFeatures] -> [n, outFeatures] (`torch.nn.Linear`). */
export class Linear extends RectifyingModule {
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(gpu: Gpu, { inFeatures, outFeatures, bias = true, random }: LinearOptions) {
    super();
    checkWhole('Linear', { inFeatures, outFeatures });
    this.weight = uniformParameter(gpu, [outFeatures, inFeatures], inFeatures, random, 'weight');
    this.bias = bias ? uniformParameter(gpu, [outFeatures], inFeatures, random, 'bias') : null;
  }

  forward(x: Tensor, { relu = false }: { relu?: boolean } = {}): Tensor {
    return linear(x, this.weight, this.bias, { relu });
  }
}
