// IWAN: importance weighted adversarial nets (Zhang et al., CVPR 2018; TLlib's iwan.py)
//
//   loss = CE(source) + 1.5 tradeOff · L(D; stop(f), stop(f')) + tradeOff · L(D0; f, f', w) + gamma · mean_j H(p'_j)
//   L(D; f, f', w) = ½ (mean_i w_i BCE(D(f_i), 1) + mean_j BCE(D(f'_j), 0))
//   w_i = (1 - D(f_i)) / (mean_k (1 - D(f_k)) + 1e-5), without a gradient
//
// f and f' are the features of the source and the target batch, p' the target's predictions, H their entropy. The first discriminator D
// learns to tell the domains apart without changing the features. Source images that it takes for target images weigh most for the
// second, D0, whose gradient is reversed on its way to the features. So images of classes that the target lacks are left out.
import { DomainAdversarialLoss } from '../../adaptation/domainAdversarialLoss.ts';
import { DomainDiscriminator } from '../../adaptation/domainDiscriminator.ts';
import { WarmStartGradientReverseLayer } from '../../adaptation/gradientReversal.ts';
import { ImportanceWeightModule } from '../../adaptation/importanceWeight.ts';
import { detach } from '../../autograd.ts';
import { atLeast, checkOptions, inF32, withDefaults } from '../../checks/options.ts';
import { concat } from '../../ops/concat.ts';
import { labelledLoss } from '../../ops/crossEntropy.ts';
import { entropy } from '../../ops/entropy.ts';
import { reshape } from '../../ops/reshape.ts';
import { scale } from '../../ops/scale.ts';
import { slice } from '../../ops/slice.ts';
import { softmax } from '../../ops/softmax.ts';
import { constant } from '../../tensor.ts';
import { type DannOptions, dannChecks } from './dann.ts';
import type { Method, Recipe } from './method.ts';

/** Options of {@link iwan}. The default of `tradeOff` is 3, as in TLlib. */
export interface IwanOptions extends DannOptions {
  /** Weight of the target's entropy. Default: 0.1. */
  gamma?: number;
}

// Without spreads here and in the checks, which bundlers would keep even if nothing uses them.
export const iwanDefaults = { tradeOff: 3, gamma: 0.1, reversalAlpha: 1, reversalIterations: 1000 };

/** Adapts to a target that contains only some of the source's classes, by a weight per source image (IWAN). */
export const iwan = (given: IwanOptions = {}): Method => {
  checkOptions<IwanOptions>('iwan', given, { ...dannChecks, gamma: inF32(atLeast(0)) });
  const options = withDefaults(iwanDefaults, given);
  const { tradeOff, gamma, reversalAlpha: alpha, reversalIterations: maxIters } = options;
  return {
    name: 'iwan',
    options: { ...options },
    usesTarget: true,
    begin({ gpu, model, featuresDim: F, random }): Recipe {
      const sizes = { inFeature: F, hiddenSize: F, batchNorm: false, random };
      const discriminator = new DomainDiscriminator(gpu, sizes);
      const discriminator0 = new DomainDiscriminator(gpu, sizes);
      const gradientReversal = new WarmStartGradientReverseLayer({ alpha, maxIters });
      const ofWeights = new DomainAdversarialLoss(discriminator, { gradientReversal });
      const ofFeatures = new DomainAdversarialLoss(discriminator0, { gradientReversal });
      const importance = new ImportanceWeightModule(discriminator);
      return {
        networks: { discriminator, discriminator0 },
        advance(iteration) {
          gradientReversal.iterNum = iteration;
        },
        losses({ source, target }) {
          const { labels } = source; //                                            [n]
          const n = labels.size;
          const x = concat([source.x, target.x]); //                               [2n, C, H, W]
          // One pass for both domains, so batch norm uses the statistics of both.
          const { logits, features } = model.forward(x); //                        [2n, numClasses], [2n, F]
          const targetLogits = slice(logits, n, 2 * n); //                     [n, numClasses]
          const { classLoss, classAccuracy } = labelledLoss(logits, labels); // [], []

          const weightLoss = ofWeights.forwardBatch(detach(features), n); //       []
          const ofSource = importance.getImportanceWeight(slice(features, 0, n)); // [n, 1]
          const ones = constant(x.gpu, new Float32Array(n).fill(1), 'ones'); //    [n]
          const weights = { source: reshape(ofSource, [n]), target: ones };
          const transferLoss = ofFeatures.forwardBatch(features, n, weights); //   []
          const h = entropy(softmax(targetLogits), { reduction: 'mean' }); //      []

          const adversarial = [scale(weightLoss, 1.5 * tradeOff), scale(transferLoss, tradeOff)]; // [] + []
          const loss = [classLoss, ...adversarial, scale(h, gamma)]; //            [] + [] + [] + []
          const domainAccuracy = ofWeights.domainDiscriminatorAccuracy!; //        [], percent
          return { loss, classLoss, transferLoss, classAccuracy, domainAccuracy, targetLogits: () => targetLogits };
        },
      };
    },
  };
};
