import { detach } from '../autograd.ts';
import { checkOptions, flag, type OptionChecks, show } from '../checks/options.ts';
import { Module } from '../nn/index.ts';
import { accuracy } from '../ops/accuracy.ts';
import { concat } from '../ops/concat.ts';
import { crossEntropy } from '../ops/crossEntropy.ts';
import { domainLoss } from '../ops/domainLoss.ts';
import { aTensor, expectShape } from '../ops/shared/expect.ts';
import { reductions } from '../ops/shared/reduction.ts';
import { type Tensor, tensor } from '../tensor.ts';
import { keep } from '../tidy.ts';
import { WarmStartGradientReverseLayer } from './gradientReversal.ts';

export interface DomainAdversarialLossOptions {
  /** Default: 'mean'. */
  reduction?: 'mean' | 'sum' | 'none';
  /** Reverses the gradient of the features. Default: a {@link WarmStartGradientReverseLayer} with `autoStep`. */
  gradientReversal?: WarmStartGradientReverseLayer;
  /** Whether the discriminator gives one probability; otherwise two logits. Default: true. */
  sigmoid?: boolean;
}

/** Weights of a batch's images: f32 [n] for each domain. */
export interface DomainWeights {
  source: Tensor;
  target: Tensor;
}

const checks: OptionChecks<DomainAdversarialLossOptions> = {
  reduction: reductions,
  gradientReversal: {
    wanted: 'a WarmStartGradientReverseLayer',
    holds: (value) => value instanceof WarmStartGradientReverseLayer,
  },
  sigmoid: flag,
};
const weightChecks: OptionChecks<DomainWeights> = { source: aTensor, target: aTensor };

/**
 * The loss that makes features of both domains alike (DANN, Ganin & Lempitsky 2015; TLlib `DomainAdversarialLoss`): the
 * discriminator learns to tell them apart, and through the gradient reversal the features learn to deceive it. Source is
 * labelled 1 and target 0. `weights` weight each image: so PADA leaves out classes that the target does not have.
 */
export class DomainAdversarialLoss {
  readonly gradientReversal: WarmStartGradientReverseLayer;
  /** Percent of the last batch whose domain the discriminator told rightly: f32 []; freed with its batch. */
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

  /** Features of both domains, [n, F] each. Loss: [], or with reduction `none` [n, 1] (sigmoid) or [n source + n target] (two outputs). */
  forward(fS: Tensor, fT: Tensor, weights?: DomainWeights): Tensor {
    return this.forwardBatch(concat([fS, fT]), fS.shape[0]!, weights);
  }

  /** {@link forward} of features that are one batch already, its first `sources` rows from the source. */
  forwardBatch(features: Tensor, sources: number, weights?: DomainWeights): Tensor {
    if (weights !== undefined)
      checkOptions('DomainAdversarialLoss: weights', weights, weightChecks, ['source', 'target']);
    const d = this.domainDiscriminator.forward(this.gradientReversal.forward(features));
    if (this.sigmoid) {
      const { loss, accuracy: percent } = domainLoss(d, {
        sources,
        reduction: this.reduction,
        ...(weights && { weights }),
      });
      this.domainDiscriminatorAccuracy = percent;
      return loss;
    }
    expectShape('DomainAdversarialLoss', 'what the discriminator gives', d, [features.shape[0]!, 2]);
    const labels = this.labelsOf(d, sources);
    this.domainDiscriminatorAccuracy = accuracy(detach(d), labels);
    const sampleWeight = weights && concat([weights.source, weights.target]);
    return crossEntropy(d, labels, { reduction: this.reduction, ...(sampleWeight && { sampleWeight }) });
  }

  /** Frees the domain labels; the discriminator stays its owner's. */
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
