import { checkOptions, flag, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { BatchNorm1d, Dropout, Linear, type Module, ReLU, Sequential, Sigmoid } from '../nn/index.ts';
import { aRandom } from '../nn/init.ts';
import type { Random } from '../random.ts';

export interface DomainDiscriminatorOptions {
  /** Length of the features. */
  inFeature: number;
  hiddenSize: number;
  /** Whether batch norm follows each hidden layer; otherwise dropout of 0.5 follows each ReLU. Default: true. */
  batchNorm?: boolean;
  /** Whether there is one output with a sigmoid; otherwise there are two logits. Default: true. */
  sigmoid?: boolean;
  /** Generates the initial weights and the seeds of dropout. */
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
 * Predicts the domain from features, with two hidden layers (TLlib `DomainDiscriminator`, with its names of parameters).
 * Input: [n, inFeature]. Output: probabilities of "source" [n, 1], or logits [n, 2].
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
