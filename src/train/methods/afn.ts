// AFN: adaptive feature norm (Xu et al., "Larger Norm More Transferable", ICCV 2019; TLlib's afn.py)
//
//   loss = CE(source) + tradeOffNorm · (N(f) + N(f')) + tradeOffEntropy · mean_j H(p'_j)
//   N(f) = mean_i (|f_i| - stop(|f_i|) - delta)²,   H(p) = - sum_k p_k log(p_k + 1e-5)
//
// f and f' are the features of the source and the target batch, p' the target's predictions. N is always delta²; its gradient makes the
// features of both domains longer. Features that are long move less when the domain changes. No discriminator is needed, so classes
// that the target lacks do little harm.
import { AdaptiveFeatureNorm } from '../../adaptation/losses.ts';
import { anyNumber, atLeast, checkOptions, inF32, type OptionChecks, withDefaults } from '../../checks/options.ts';
import { add } from '../../ops/add.ts';
import { concat } from '../../ops/concat.ts';
import { labelledLoss } from '../../ops/crossEntropy.ts';
import { entropy } from '../../ops/entropy.ts';
import { scale } from '../../ops/scale.ts';
import { slice } from '../../ops/slice.ts';
import { softmax } from '../../ops/softmax.ts';
import type { Method, Recipe } from './method.ts';

/** Options of {@link afn}. */
export interface AfnOptions {
  /** Weight of the norms' loss. Default: 0.05. */
  tradeOffNorm?: number;
  /** Weight of the target's entropy; TLlib leaves it out by default. Default: 0. */
  tradeOffEntropy?: number;
  /** By how much the norms are to grow. Default: 1. */
  delta?: number;
}

export const afnDefaults = { tradeOffNorm: 0.05, tradeOffEntropy: 0, delta: 1 };

const weights = /* @__PURE__ */ inF32(/* @__PURE__ */ atLeast(0));
const checks: OptionChecks<AfnOptions> = {
  tradeOffNorm: weights,
  tradeOffEntropy: weights,
  delta: /* @__PURE__ */ inF32(anyNumber),
};

/** Adapts by making features longer (AFN). */
export const afn = (given: AfnOptions = {}): Method => {
  checkOptions('afn', given, checks);
  const options = withDefaults(afnDefaults, given);
  const { tradeOffNorm, tradeOffEntropy, delta } = options;
  return {
    name: 'afn',
    options: { ...options },
    usesTarget: true,
    begin({ model }): Recipe {
      const featureNorm = new AdaptiveFeatureNorm({ delta });
      return {
        losses({ source, target }) {
          const { labels } = source; //                                           [n]
          const n = labels.size;
          const x = concat([source.x, target.x]); //                              [2n, C, H, W]
          // One pass for both domains, so batch norm uses the statistics of both.
          const { logits, features } = model.forward(x); //                       [2n, numClasses], [2n, F]
          const targetLogits = () => slice(logits, n, 2 * n); //              [n, numClasses]

          const { classLoss, classAccuracy } = labelledLoss(logits, labels); // [], []
          const ofSource = featureNorm.forward(slice(features, 0, n)); //     []
          const ofTarget = featureNorm.forward(slice(features, n, 2 * n)); // []
          const transferLoss = add(ofSource, ofTarget); //                        []
          const loss = [classLoss, scale(transferLoss, tradeOffNorm)]; //         [] + []
          if (tradeOffEntropy > 0) {
            const h = entropy(softmax(targetLogits()), { reduction: 'mean' }); // []
            loss.push(scale(h, tradeOffEntropy));
          }
          return { loss, classLoss, transferLoss, classAccuracy, targetLogits };
        },
      };
    },
  };
};
