// Losses of the target's predictions that can be added to any method:
//
//   loss of the method + weight · minimum class confusion (see mcc.ts)
//   loss of the method - weight · mean_j sum_k p'_jk^alpha            alpha power, of ARPM (Gu et al. 2024)
//   loss of the method + weight · mean_j H(p'_j)                      entropy minimisation (Grandvalet & Bengio 2004)
//
// p' are the target's predictions. ARPM keeps its last layer fixed in this term; here its gradient reaches all layers. While a method
// warms up on source batches, nothing is added.
import { alphaPowerLoss, MinimumClassConfusionLoss } from '../../adaptation/losses.ts';
import { above, atLeast, checkOptions, inF32, type OptionChecks, withDefaults } from '../../checks/options.ts';
import { add } from '../../ops/add.ts';
import { entropy } from '../../ops/entropy.ts';
import { scale } from '../../ops/scale.ts';
import { softmax } from '../../ops/softmax.ts';
import type { Tensor } from '../../tensor.ts';
import type { Method, Recipe } from './method.ts';

/** Weights of losses that are added to a method. */
export interface AdditionOptions {
  /** Weight of the minimum class confusion. Default: 0. */
  mccWeight?: number;
  /** Temperature of the predictions in it. Default: 2.5. */
  mccTemperature?: number;
  /** Weight of the alpha-power loss; the paper has 0.3 to 1. Default: 0. */
  alphaPowerWeight?: number;
  /** Its exponent. Default: 6. */
  alphaPower?: number;
  /** Weight of the entropy of the target's predictions. Default: 0. */
  entropyWeight?: number;
}

export const additionDefaults = {
  mccWeight: 0,
  mccTemperature: 2.5,
  alphaPowerWeight: 0,
  alphaPower: 6,
  entropyWeight: 0,
};

const weights = /* @__PURE__ */ inF32(/* @__PURE__ */ atLeast(0));
const positive = /* @__PURE__ */ inF32(/* @__PURE__ */ above(0));
const checks: OptionChecks<AdditionOptions> = {
  mccWeight: weights,
  mccTemperature: positive,
  alphaPowerWeight: weights,
  alphaPower: positive,
  entropyWeight: weights,
};

/**
 * Adds losses of the target's predictions to a method: `withTargetLosses(pada(), { mccWeight: 0.1 })`. Returns the method itself if all
 * weights are 0. A method that does not use the target then does, by a pass of its own.
 *
 * @throws RangeError for a temperature or an exponent of a loss whose weight is 0
 */
export function withTargetLosses(method: Method, given: AdditionOptions = {}): Method {
  checkOptions('withTargetLosses', given, checks);
  const options = withDefaults(additionDefaults, given);
  const { mccWeight, mccTemperature, alphaPowerWeight, alphaPower, entropyWeight } = options;
  // Without its weight it would be ignored.
  for (const [name, weight] of [
    ['mccTemperature', 'mccWeight'],
    ['alphaPower', 'alphaPowerWeight'],
  ] as const)
    if (options[weight] === 0 && options[name] !== additionDefaults[name])
      throw new RangeError(
        `withTargetLosses: ${name} is ${options[name]}, but ${weight} is 0, so it has no effect; leave it out`,
      );
  const terms: [weight: number, loss: (logits: Tensor) => Tensor][] = [
    [mccWeight, (logits) => new MinimumClassConfusionLoss({ temperature: mccTemperature }).forward(logits)],
    [alphaPowerWeight, (logits) => alphaPowerLoss(logits, alphaPower)],
    [entropyWeight, (logits) => entropy(softmax(logits), { reduction: 'mean' })],
  ];
  const added = terms.filter(([weight]) => weight > 0);
  if (added.length === 0) return method;
  return {
    name: method.name,
    options: { ...method.options, ...options },
    usesTarget: true,
    begin(setup): Recipe {
      const recipe = method.begin(setup);
      const losses: Recipe['losses'] = (batches) => {
        const inner = recipe.losses(batches);
        const logits = inner.targetLogits?.() ?? setup.model.forward(batches.target.x).logits; // [n, numClasses]
        const extra = added.map(([weight, loss]) => scale(loss(logits), weight)).reduce((a, b) => add(a, b)); // []
        const transferLoss = inner.transferLoss ? add(inner.transferLoss, extra) : extra; // []
        return { ...inner, loss: [inner.loss, extra].flat(), transferLoss };
      };
      // Everything else stays the recipe's own, including what a later version of Recipe has.
      return Object.create(recipe, { losses: { value: losses } });
    },
  };
}
