import type { Gpu } from '../gpu/gpu.ts';
import { BatchNorm1d, Dropout, Linear, type Module, ReLU, Sequential, Sigmoid } from '../nn/index.ts';
import type { Random } from '../random.ts';

export interface DomainDiscriminatorOptions {
  /** Length of the features. */
  inFeature: number;
  hiddenSize: number;
  /** Batch norm after each hidden layer (default), or dropout of 0.5 after each rectifier. */
  batchNorm?: boolean;
  /** One output through a sigmoid (default), or two outputs for a softmax. */
  sigmoid?: boolean;
  /** Source of the initial weights. */
  random: Random;
}

/**
 * Tells source from target by their features: two hidden layers and one or two outputs (TLlib `DomainDiscriminator`, with
 * its names of parameters). [n, inFeature] -> [n, 1] probabilities of "source", or [n, 2] logits.
 */
export class DomainDiscriminator extends Sequential {
  constructor(
    gpu: Gpu,
    { inFeature, hiddenSize, batchNorm = true, sigmoid = true, random }: DomainDiscriminatorOptions,
  ) {
    const linear = (inFeatures: number, outFeatures: number) => new Linear(gpu, { inFeatures, outFeatures, random });
    const hidden = (inFeatures: number): Module[] =>
      batchNorm
        ? [linear(inFeatures, hiddenSize), new BatchNorm1d(gpu, { numFeatures: hiddenSize }), new ReLU()]
        : [linear(inFeatures, hiddenSize), new ReLU(), new Dropout({ p: 0.5, seed: random.integer(2 ** 32) })];
    const last = sigmoid ? new Sequential(linear(hiddenSize, 1), new Sigmoid()) : linear(hiddenSize, 2);
    super(...hidden(inFeature), ...hidden(hiddenSize), last);
  }
}
