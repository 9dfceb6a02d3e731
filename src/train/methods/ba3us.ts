// BA3US: balanced adversarial alignment with adaptive uncertainty suppression (Liang et al., ECCV 2020; the authors' run_partial.py)
//
//   w    = mean over the target of softmax(logits / T), divided by its largest element; ones at first
//   loss = sum_i w[y_i] CE_i / sum_i w[y_i] + tradeOff · A + gamma · mean_j H(p'_j) + cotWeight · K
//
// A is the adversarial loss (balancedAdversarialLoss.ts). In it the target is filled up with source images, so that it has all classes:
// with batchSize / mu at first, and fewer every classWeightUpdateSteps, to none at the end. Images whose class is uncertain weigh less.
// K, the complement entropy (losses.ts), spreads what source images leave to classes that are not theirs.
import { BalancedAdversarialLoss } from '../../adaptation/balancedAdversarialLoss.ts';
import { DomainDiscriminator } from '../../adaptation/domainDiscriminator.ts';
import { WarmStartGradientReverseLayer } from '../../adaptation/gradientReversal.ts';
import { complementEntropyLoss } from '../../adaptation/losses.ts';
import { checkOptions, wholeFrom, withDefaults } from '../../checks/options.ts';
import { Sampler } from '../../data/sampler.ts';
import { concat } from '../../ops/concat.ts';
import { labelledLoss } from '../../ops/crossEntropy.ts';
import { entropy } from '../../ops/entropy.ts';
import { scale } from '../../ops/scale.ts';
import { slice } from '../../ops/slice.ts';
import { softmax } from '../../ops/softmax.ts';
import { Random } from '../../random.ts';
import { type ClassWeightsOptions, checkShare, classWeightsChecks, classWeightsOf } from './classWeights.ts';
import { dannChecks } from './dann.ts';
import type { Method, Recipe } from './method.ts';

/** Options of {@link ba3us}. */
export interface Ba3usOptions extends ClassWeightsOptions {
  /** Weight of the adversarial loss. Default: 1. */
  tradeOff?: number;
  /** Gradients are reversed with coefficient 2 / (1 + exp(-reversalAlpha i / iterations)) - 1. Default: 10. */
  reversalAlpha?: number;
  /** Weight of the target's entropy. Default: 0.1. */
  gamma?: number;
  /** Weight of the complement entropy; without effect for fewer than three classes. Default: 1. */
  cotWeight?: number;
  /** The target is filled up with batchSize / mu source images, rounded down, at first; 0: with none. Default: 4. */
  mu?: number;
}

// Without spreads here and in the checks, which bundlers would keep even if nothing uses them.
export const ba3usDefaults = {
  ...{ tradeOff: 1, reversalAlpha: 10, gamma: 0.1, cotWeight: 1, mu: 4 },
  ...{ temperature: 1, classWeightUpdateSteps: 100, classWeights: 'mean' as const, share: 0.3, floor: 0 },
};

/** Adapts to a target that contains only some of the source's classes, by filling it up with source images (BA3US). */
export const ba3us = (given: Ba3usOptions = {}): Method => {
  const { tradeOff: weight, reversalAlpha } = dannChecks;
  const own = { tradeOff: weight, gamma: weight, cotWeight: weight, reversalAlpha, mu: wholeFrom(0) };
  checkOptions<Ba3usOptions>('ba3us', given, { ...classWeightsChecks, ...own });
  const options = withDefaults(ba3usDefaults, given);
  checkShare('ba3us', options);
  const { tradeOff, reversalAlpha: alpha, gamma, cotWeight, mu, classWeightUpdateSteps } = options;
  return {
    name: 'ba3us',
    options: { ...options },
    usesTarget: true,
    begin(setup): Recipe {
      const { gpu, model, featuresDim: F, numClasses, source, batchSize, iterations, random } = setup;
      const discriminator = new DomainDiscriminator(gpu, { inFeature: F, hiddenSize: F, batchNorm: false, random });
      const gradientReversal = new WarmStartGradientReverseLayer({ alpha, maxIters: Math.max(1, iterations) });
      const adversarial = new BalancedAdversarialLoss(discriminator, gradientReversal);
      const classWeights = classWeightsOf(setup, options);
      const most = mu === 0 ? 0 : Math.floor(batchSize / mu);
      const middle = most > 0 ? new Sampler(source, most, new Random(random.integer(2 ** 32))) : undefined;
      const updates = Math.max(1, Math.floor(iterations / classWeightUpdateSteps));
      return {
        ...{ networks: { discriminator }, classWeights, ...(middle && { state: { middle } }) },
        advance(iteration) {
          gradientReversal.iterNum = iteration;
          middle?.advance();
          const left = Math.max(0, 1 - Math.floor(iteration / classWeightUpdateSteps) / updates);
          adversarial.balance(Math.floor(most * left), batchSize);
        },
        losses({ source, target }) {
          const [{ labels }, n] = [source, source.labels.size]; //                     labels: [n]
          const further = middle?.batch(); //                                          [m, C, H, W], [m]
          const x = concat([source.x, target.x, ...(further ? [further.x] : [])]); //  [2n + m, C, H, W]
          const { logits, features } = model.forward(x); //                            [2n + m, numClasses], [2n + m, F]
          const sourceLogits = slice(logits, 0, n); //                             [n, numClasses]
          const targetLogits = slice(logits, n, 2 * n); //                         [n, numClasses]
          const weight = classWeights.getClassWeightForCrossEntropyLoss(); //          [numClasses]
          const { classLoss, classAccuracy } = labelledLoss(logits, labels, { weight, weightless: 0 }); // [], []
          const { classWeight } = classWeights; //                                     [numClasses], without the floor
          const rows = { features, logits, labels, furtherLabels: further?.labels, classWeight };
          const transferLoss = adversarial.forward(rows); //                           []
          const h = entropy(softmax(targetLogits), { reduction: 'mean', eps: 1e-7 }); // []
          const loss = [classLoss, scale(transferLoss, tradeOff), scale(h, gamma)]; // [] + [] + []
          if (cotWeight > 0 && numClasses > 2)
            loss.push(scale(complementEntropyLoss(sourceLogits, labels, classWeight), cotWeight));
          return { loss, classLoss, transferLoss, classAccuracy, targetLogits: () => targetLogits };
        },
      };
    },
  };
};
