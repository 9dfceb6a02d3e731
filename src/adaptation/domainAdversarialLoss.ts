// The adversarial loss of DANN and PADA: gradient reversal, discriminator, and binary cross-entropy with optional weights, with the names
// of TLlib.
import { detach } from '../autograd.ts';
import { checkOptions, flag, type OptionChecks, show } from '../checks/options.ts';
import { Module, Sequential } from '../nn/index.ts';
import { concat } from '../ops/concat.ts';
import { crossEntropy, labelledLoss } from '../ops/crossEntropy.ts';
import { areOfClasses, domainLoss, type WeightsOfClasses, type WeightsOfRows } from '../ops/domainLoss.ts';
import { domainWeights } from '../ops/domainWeights.ts';
import { expectShape } from '../ops/shared/expect.ts';
import { reductions } from '../ops/shared/reduction.ts';
import { type Tensor, tensor } from '../tensor.ts';
import { keep } from '../tidy.ts';
import { WarmStartGradientReverseLayer } from './gradientReversal.ts';

export interface DomainAdversarialLossOptions {
  /** Default: 'mean'. */
  reduction?: 'mean' | 'sum' | 'none';
  /** Reverses the gradient of the features. Default: a {@link WarmStartGradientReverseLayer} with `autoStep`. */
  gradientReversal?: WarmStartGradientReverseLayer;
  /** Whether the discriminator returns one probability, not two logits. Default: true. */
  sigmoid?: boolean;
}

/** Weights of the images of a batch, f32 [n] per domain. */
export type DomainWeights = WeightsOfRows;

const checks: OptionChecks<DomainAdversarialLossOptions> = {
  reduction: reductions,
  gradientReversal: {
    wanted: 'a WarmStartGradientReverseLayer',
    holds: (value) => value instanceof WarmStartGradientReverseLayer,
  },
  sigmoid: flag,
};

/**
 * The loss of DANN (Ganin & Lempitsky 2015; TLlib `DomainAdversarialLoss`). The discriminator learns to tell source, labelled
 * 1, from target, labelled 0. The reversed gradient makes the features of both domains alike. PADA passes `weights` to leave
 * out classes that the target does not contain.
 */
export class DomainAdversarialLoss {
  readonly gradientReversal: WarmStartGradientReverseLayer;
  /** Percent of the last batch whose domain the discriminator predicted correctly: f32 [], freed with its batch. */
  domainDiscriminatorAccuracy: Tensor | null = null;
  private readonly reduction: 'mean' | 'sum' | 'none';
  private readonly sigmoid: boolean;
  private readonly labels = new Map<string, Tensor>();

  constructor(
    readonly domainDiscriminator: Module,
    options: DomainAdversarialLossOptions = {},
  ) {
    if (!(domainDiscriminator instanceof Module))
      throw new TypeError(
        `DomainAdversarialLoss: domainDiscriminator must be a Module but is ${show(domainDiscriminator)}; pass it first`,
      );
    checkOptions('DomainAdversarialLoss', options, checks);
    const { reduction = 'mean', sigmoid = true, gradientReversal } = options;
    this.reduction = reduction;
    this.sigmoid = sigmoid;
    this.gradientReversal = gradientReversal ?? new WarmStartGradientReverseLayer({ autoStep: true });
  }

  /**
   * fS, fT: [n, F]. Returns the loss: []. With reduction `none`: [n, 1] with sigmoid, else [n source + n target].
   *
   * @param weights of the images, or of their classes: then a target image has the mean weight of the source images
   */
  forward(fS: Tensor, fT: Tensor, weights?: DomainWeights | WeightsOfClasses): Tensor {
    return this.forwardBatch(concat([fS, fT]), fS.shape[0]!, weights);
  }

  /** {@link forward} of features that are one batch already, with `sources` rows of the source first. */
  forwardBatch(features: Tensor, sources: number, weights?: DomainWeights | WeightsOfClasses): Tensor {
    const ofClasses = weights !== undefined && areOfClasses('DomainAdversarialLoss', weights);
    const { domainDiscriminator: discriminator } = this;
    const reversed = this.gradientReversal.forward(features);
    if (this.sigmoid) {
      const fuses = discriminator instanceof Sequential && discriminator.endsInSigmoid;
      const { loss, accuracy: percent } = domainLoss(
        fuses ? discriminator.forward(reversed, { sigmoid: false }) : discriminator.forward(reversed),
        { sources, reduction: this.reduction, logits: fuses, ...(weights && { weights }) },
      );
      this.domainDiscriminatorAccuracy = percent;
      return loss;
    }
    const d = discriminator.forward(reversed);
    expectShape('DomainAdversarialLoss', 'the output of the discriminator', d, [features.shape[0]!, 2]);
    const labels = this.labelsOf(d, sources);
    const ofRows = ofClasses
      ? domainWeights(weights.classWeight, weights.labels)
      : (weights as DomainWeights | undefined);
    const options = ofRows ? { sampleWeight: concat([ofRows.source, ofRows.target]) } : {};
    const { reduction } = this;
    // With a loss per row, there is no place for the accuracy in the same dispatch.
    const each = reduction === 'none' ? crossEntropy(d, labels, { ...options, reduction }) : null;
    const { classLoss, classAccuracy } =
      reduction === 'none' ? labelledLoss(detach(d), labels) : labelledLoss(d, labels, { ...options, reduction });
    this.domainDiscriminatorAccuracy = classAccuracy;
    return each ?? classLoss;
  }

  /** Frees the domain labels, but not the discriminator. */
  dispose(): void {
    for (const labels of this.labels.values()) labels.dispose();
    this.labels.clear();
  }

  private labelsOf(d: Tensor, sources: number): Tensor {
    const n = d.shape[0]!;
    const key = `${sources} of ${n}`;
    let labels = this.labels.get(key);
    if (!labels) {
      labels = keep(
        tensor(
          d.gpu,
          Uint32Array.from({ length: n }, (_, i) => Number(i < sources)),
          undefined,
          'domain labels',
        ),
      );
      this.labels.set(key, labels);
    }
    return labels;
  }
}
