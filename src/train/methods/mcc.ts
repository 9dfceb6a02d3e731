// MCC: minimum class confusion (Jin et al., ECCV 2020; TLlib's mcc.py)
//
//   loss = CE(source) + tradeOff · (sum M - trace M) / C
//   M    = p'ᵀ diag(v) p', its columns divided by their sums,   v_j = 1 + exp(-H(p'_j)) without a gradient
//
// p' = softmax(logits of the target / T), and H is the entropy. M counts how often the target's predictions hesitate between two classes;
// certain predictions count more. It knows of no domain, so classes that the target lacks do little harm. `withMcc` adds it to
// other methods.
import { MinimumClassConfusionLoss } from '../../adaptation/losses.ts';
import { above, atLeast, checkOptions, inF32, type OptionChecks, withDefaults } from '../../checks/options.ts';
import { concat } from '../../ops/concat.ts';
import { labelledLoss } from '../../ops/crossEntropy.ts';
import { scale } from '../../ops/scale.ts';
import { slice } from '../../ops/slice.ts';
import type { Method, Recipe } from './method.ts';

/** Options of {@link mcc}. */
export interface MccOptions {
  /** Weight of the class confusion. Default: 1. */
  tradeOff?: number;
  /** Temperature T of the target's predictions. Default: 2.5. */
  temperature?: number;
}

export const mccDefaults = { tradeOff: 1, temperature: 2.5 };

const checks: OptionChecks<MccOptions> = {
  tradeOff: /* @__PURE__ */ inF32(/* @__PURE__ */ atLeast(0)),
  temperature: /* @__PURE__ */ inF32(/* @__PURE__ */ above(0)),
};

/** Adapts by making the target's predictions hesitate less between classes (MCC). */
export const mcc = (given: MccOptions = {}): Method => {
  checkOptions('mcc', given, checks);
  const options = withDefaults(mccDefaults, given);
  const { tradeOff, temperature } = options;
  return {
    name: 'mcc',
    options: { ...options },
    usesTarget: true,
    begin({ model }): Recipe {
      const confusion = new MinimumClassConfusionLoss({ temperature });
      return {
        losses({ source, target }) {
          const { labels } = source; //                                     [n]
          const n = labels.size;
          const x = concat([source.x, target.x]); //                        [2n, C, H, W]
          // One pass for both domains, so batch norm uses the statistics of both.
          const { logits } = model.forward(x); //                           [2n, numClasses]
          const targetLogits = slice(logits, n, 2 * n); //              [n, numClasses]
          const { classLoss, classAccuracy } = labelledLoss(logits, labels); // [], []
          const transferLoss = confusion.forward(targetLogits); //          []
          const loss = [classLoss, scale(transferLoss, tradeOff)]; //       [] + []
          return { loss, classLoss, transferLoss, classAccuracy, targetLogits: () => targetLogits };
        },
      };
    },
  };
};
