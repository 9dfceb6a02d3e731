import { noGrad } from '../autograd.ts';
import { type Check, checkOptions, type OptionChecks, show } from '../checks/options.ts';
import { outsideCapture } from '../gpu/recording.ts';
import { Module, Sequential } from '../nn/index.ts';
import { div } from '../ops/div.ts';
import { mean } from '../ops/mean.ts';
import { scale } from '../ops/scale.ts';
import { sigmoid } from '../ops/sigmoid.ts';
import { sub } from '../ops/sub.ts';
import { constant, type Tensor } from '../tensor.ts';
import { plus } from './losses.ts';

const classes: Check = { wanted: 'an array of class numbers', holds: Array.isArray };
const checks: OptionChecks<{ partialClassesIndex?: readonly number[] }> = { partialClassesIndex: classes };

/**
 * Weighs source examples by how little a discriminator takes them for source (Zhang et al., "Importance Weighted Adversarial Nets",
 * CVPR 2018; TLlib `ImportanceWeightModule`): w = 1 - D(f), divided by the mean of the batch + 1e-5.
 */
export class ImportanceWeightModule {
  private readonly partial: readonly number[] | undefined;

  /**
   * @param discriminator maps features [n, F] to probabilities of "source" [n, 1]; it stays the caller's
   * @param options `partialClassesIndex`: the target's classes, if known; only {@link getPartialClassesWeight} needs them
   */
  constructor(
    private readonly discriminator: Module,
    options: { partialClassesIndex?: readonly number[] } = {},
  ) {
    if (!(discriminator instanceof Module))
      throw new TypeError(
        `ImportanceWeightModule: discriminator must be a Module but is ${show(discriminator)}; pass it first`,
      );
    checkOptions('ImportanceWeightModule', options, checks);
    this.partial = options.partialClassesIndex;
  }

  /** feature: f32 [n, F], of the source. Returns f32 [n, 1], without a gradient. */
  getImportanceWeight(feature: Tensor): Tensor {
    return noGrad(() => {
      const { discriminator } = this;
      const weight =
        discriminator instanceof Sequential && discriminator.endsInSigmoid
          ? // 1 - sigmoid(z) = sigmoid(-z), which keeps its digits where D is close to 1.
            sigmoid(scale(discriminator.forward(feature, { sigmoid: false }), -1))
          : sub(constant(feature.gpu, Float32Array.of(1), 'one', []), discriminator.forward(feature));
      return div(weight, plus(mean(weight), 1e-5));
    });
  }

  /** Reads the mean weight of the target's classes, and of all others; 0 if the batch has none. Throws `TypeError` without `partialClassesIndex`. */
  getPartialClassesWeight(weights: Tensor, labels: Tensor): Promise<{ partial: number; nonPartial: number }> {
    const { partial } = this;
    if (!partial)
      throw new TypeError(
        'getPartialClassesWeight: the classes of the target are not known; pass partialClassesIndex to the ImportanceWeightModule',
      );
    return outsideCapture('reading weights', async () => {
      const [weightOf, labelOf] = await Promise.all([weights.read(), labels.readU32()]);
      const meanOf = (inTarget: boolean) => {
        const own = weightOf.filter((_, i) => partial.includes(labelOf[i]!) === inTarget);
        return own.reduce((a, w) => a + w, 0) / Math.max(1, own.length);
      };
      return { partial: meanOf(true), nonPartial: meanOf(false) };
    });
  }
}
