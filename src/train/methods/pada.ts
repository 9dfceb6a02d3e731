// PADA: partial adversarial domain adaptation (Cao et al., ECCV 2018; TLlib's pada.py)
//
//   s    = mean over the target of softmax(logits / T)
//   w    = s / max s, or min(1, s / (share · max s))² if class weights are saturating; ones at first
//   u    = floor + (1 - floor) w
//   loss = sum_i u[y_i] CE_i / sum_i u[y_i] + tradeOff · ½ mean_i (w[y_i] BCE(D(f_i), 1) + v BCE(D(f'_i), 0))
//
// y are the source batch's labels, f and f' the features of the source and the target batch, and v = mean_i w[y_i]. The
// discriminator D learns to tell the domains apart; the gradient of the features is reversed on its way from D, so they
// become alike. The class weights w estimate which classes the target contains, and leave the others out of both losses.
import { DomainAdversarialLoss } from '../../adaptation/domainAdversarialLoss.ts';
import { DomainDiscriminator } from '../../adaptation/domainDiscriminator.ts';
import { WarmStartGradientReverseLayer } from '../../adaptation/gradientReversal.ts';
import { checkOptions, type OptionChecks, withDefaults } from '../../checks/options.ts';
import { concat } from '../../ops/concat.ts';
import { labelledLoss } from '../../ops/crossEntropy.ts';
import { scale } from '../../ops/scale.ts';
import { slice } from '../../ops/slice.ts';
import {
  type ClassWeightsOptions,
  checkShare,
  classWeightsChecks,
  classWeightsDefaults,
  classWeightsOf,
} from './classWeights.ts';
import { type DannOptions, dannChecks, dannDefaults } from './dann.ts';
import type { Method, Recipe } from './method.ts';

/** Options of {@link pada}. */
export interface PadaOptions extends DannOptions, ClassWeightsOptions {}

export const padaDefaults = { ...dannDefaults, ...classWeightsDefaults };

const checks: OptionChecks<PadaOptions> = { ...dannChecks, ...classWeightsChecks };

/** Adapts to a target that contains only some of the source's classes (PADA). */
export const pada = (given: PadaOptions = {}): Method => {
  checkOptions('pada', given, checks);
  const options = withDefaults(padaDefaults, given);
  checkShare('pada', options);
  const { tradeOff, reversalAlpha: alpha, reversalIterations: maxIters } = options;
  return {
    name: 'pada',
    options: { ...options },
    usesTarget: true,
    begin(setup): Recipe {
      const { gpu, model, featuresDim: F, random } = setup;
      const discriminator = new DomainDiscriminator(gpu, { inFeature: F, hiddenSize: F, random });
      const gradientReversal = new WarmStartGradientReverseLayer({ alpha, maxIters });
      const adversarial = new DomainAdversarialLoss(discriminator, { gradientReversal });
      const classWeights = classWeightsOf(setup, options);
      return {
        networks: { discriminator },
        classWeights,
        advance(iteration) {
          gradientReversal.iterNum = iteration;
        },
        losses({ source, target }) {
          const { labels } = source; //                                          [n]
          const n = labels.size;
          const x = concat([source.x, target.x]); //                             [2n, C, H, W]
          // One pass for both domains, so batch norm uses the statistics of both.
          const { logits, features } = model.forward(x); //                      [2n, numClasses], [2n, F]

          const weight = classWeights.getClassWeightForCrossEntropyLoss(); //    [numClasses]
          // If all labels are of classes that the target does not contain, the loss is 0, not 0 / 0.
          const { classLoss, classAccuracy } = labelledLoss(logits, labels, { weight, weightless: 0 }); // [], []

          // A source image has the weight of its class, every target image their mean v.
          const weights = { classWeight: classWeights.classWeight, labels };
          const transferLoss = adversarial.forwardBatch(features, n, weights); // []

          const loss = [classLoss, scale(transferLoss, tradeOff)]; //         [] + []
          const domainAccuracy = adversarial.domainDiscriminatorAccuracy!; //    [], percent
          const targetLogits = () => slice(logits, n, 2 * n); //                   [n, numClasses]
          return { loss, classLoss, transferLoss, classAccuracy, domainAccuracy, targetLogits };
        },
      };
    },
  };
};
