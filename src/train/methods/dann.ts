// DANN: domain-adversarial training of neural networks (Ganin & Lempitsky 2015; TLlib's dann.py)
//
//   loss = CE(source) + tradeOff · ½ (BCE(D(f_source), 1) + BCE(D(f_target), 0))
//
// The discriminator D learns to tell the domains apart by the features f. The gradient of the features is reversed on its way
// from D, so they become alike. If the target contains only some of the source's classes, this does harm: see pada.ts.
import { DomainAdversarialLoss } from '../../adaptation/domainAdversarialLoss.ts';
import { DomainDiscriminator } from '../../adaptation/domainDiscriminator.ts';
import { WarmStartGradientReverseLayer } from '../../adaptation/gradientReversal.ts';
import {
  above,
  anyNumber,
  atLeast,
  checkOptions,
  inF32,
  type OptionChecks,
  withDefaults,
} from '../../checks/options.ts';
import { concat } from '../../ops/concat.ts';
import { labelledLoss } from '../../ops/crossEntropy.ts';
import { scale } from '../../ops/scale.ts';
import { slice } from '../../ops/slice.ts';
import type { Method, Recipe } from './method.ts';

/** Options of {@link dann}. */
export interface DannOptions {
  /** Weight of the domain adversarial loss. Default: 1. */
  tradeOff?: number;
  /** The features' gradient is reversed with coefficient 2 / (1 + exp(-reversalAlpha i / reversalIterations)) - 1. Default: 1. */
  reversalAlpha?: number;
  /** Default: 1000. */
  reversalIterations?: number;
}

export const dannDefaults = { tradeOff: 1, reversalAlpha: 1, reversalIterations: 1000 };

/** @internal */
export const dannChecks: OptionChecks<DannOptions> = {
  tradeOff: /* @__PURE__ */ inF32(/* @__PURE__ */ atLeast(0)),
  reversalAlpha: anyNumber,
  reversalIterations: /* @__PURE__ */ above(0),
};

/** Adapts by making the features of both domains alike (DANN). */
export const dann = (given: DannOptions = {}): Method => {
  checkOptions('dann', given, dannChecks);
  const options = withDefaults(dannDefaults, given);
  const { tradeOff, reversalAlpha: alpha, reversalIterations: maxIters } = options;
  return {
    name: 'dann',
    options: { ...options },
    usesTarget: true,
    begin({ gpu, model, featuresDim: F, random }): Recipe {
      const discriminator = new DomainDiscriminator(gpu, { inFeature: F, hiddenSize: F, random });
      const gradientReversal = new WarmStartGradientReverseLayer({ alpha, maxIters });
      const adversarial = new DomainAdversarialLoss(discriminator, { gradientReversal });
      return {
        networks: { discriminator },
        advance(iteration) {
          gradientReversal.iterNum = iteration;
        },
        losses({ source, target }) {
          const n = source.labels.size;
          const x = concat([source.x, target.x]); //                       [2n, C, H, W]
          // One pass for both domains, so batch norm uses the statistics of both.
          const { logits, features } = model.forward(x); //                [2n, numClasses], [2n, F]
          const { classLoss, classAccuracy } = labelledLoss(logits, source.labels); // [], []
          const transferLoss = adversarial.forwardBatch(features, n); //   []
          const loss = [classLoss, scale(transferLoss, tradeOff)]; //   [] + []
          const domainAccuracy = adversarial.domainDiscriminatorAccuracy!; // [], percent
          const targetLogits = () => slice(logits, n, 2 * n); //             [n, numClasses]
          return { loss, classLoss, transferLoss, classAccuracy, domainAccuracy, targetLogits };
        },
      };
    },
  };
};
