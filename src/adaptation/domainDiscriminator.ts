import { checkOptions, flag, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { BatchNorm1d, Dropout, Linear, type Module, ReLU, Sequential, Sigmoid } from '../nn/index.ts';
import { aRandom } from '../nn/init.ts';
import type { Random } from '../random.ts';

export interface DomainDiscriminatorOptions {
  /** Length of the features. */
  inFeature: number;
  hiddenSize: number;
  /** Batch norm after each hidden layer; otherwise dropout of 0.5 after each ReLU. Default: true. */
  batchNorm?: boolean;
  /** One output through a sigmoid; otherwise two outputs for a softmax. Default: true. */
  sigmoid?: boolean;
  /** Source of the initial weights, and of the seeds of dropout. */
  random: Random;
}

const checks: OptionChecks<DomainDiscriminatorOptions> = {
  inFeature: /* @__PURE__ */ wholeFrom(1),
  hiddenSize: /* @__PURE__ */ wholeFrom(1),
  batchNorm: flag,
  sigmoid: flag,
  random: aRandom,
};

/**
 * Tells source from target by their features: two hidden layers and one or two outputs (TLlib `DomainDiscriminator`, with
 * its names of parameters). [n, inFeature] -> [n, 1] probabilities of "source", or [n, 2] logits.
 */
export class DomainDiscriminator extends Sequential {
  constructor(gpu: Gpu, options: DomainDiscriminatorOptions) {
    checkGpu('DomainDiscriminator', gpu);
    checkOptions('DomainDiscriminator', options, checks, ['inFeature', 'hiddenSize', 'random']);
    const { inFeature, hiddenSize, batchNorm = true, sigmoid = true, random } = options;
    const linear = (inFeatures: number, outFeatures: number) => new Linear(gpu, { inFeatures, outFeatures, random });
    const hidden = (inFeatures: number): Module[] =>
      batchNorm
        ? [linear(inFeatures, hiddenSize), new BatchNorm1d(gpu, { numFeatures: hiddenSize }), new ReLU()]
        : [linear(inFeatures, hiddenSize), new ReLU(), new Dropout({ p: 0.5, seed: random.integer(2 ** 32) })];
    const last = sigmoid ? new Sequential(linear(hiddenSize, 1), new Sigmoid()) : linear(hiddenSize, 2);
    super(...hidden(inFeature), ...hidden(hiddenSize), last);
  }
}
