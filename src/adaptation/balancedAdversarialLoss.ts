import { detach } from '../autograd.ts';
import { Scalar } from '../gpu/scalar.ts';
import { add } from '../ops/add.ts';
import { binaryCrossEntropyWithLogits } from '../ops/binaryCrossEntropyWithLogits.ts';
import { clamp } from '../ops/clamp.ts';
import { concat } from '../ops/concat.ts';
import { div } from '../ops/div.ts';
import { domainWeights } from '../ops/domainWeights.ts';
import { entropy } from '../ops/entropy.ts';
import { exp } from '../ops/exp.ts';
import { mul } from '../ops/mul.ts';
import { reshape } from '../ops/reshape.ts';
import { scale } from '../ops/scale.ts';
import { softmax } from '../ops/softmax.ts';
import { sub } from '../ops/sub.ts';
import { sum } from '../ops/sum.ts';
import { constant, type Tensor } from '../tensor.ts';
import type { DomainDiscriminator } from './domainDiscriminator.ts';
import type { WarmStartGradientReverseLayer } from './gradientReversal.ts';
import { plus } from './losses.ts';

/** A batch of n source, n target and m further source images, in this order; N = 2 n + m. */
export interface BalancedBatch {
  /** f32 [N, F] */
  features: Tensor;
  /** The classifier's logits: f32 [N, C]. */
  logits: Tensor;
  /** Labels of the source images: u32 [n]. */
  labels: Tensor;
  /** Labels of the further images: u32 [m]; left out if there are none. */
  furtherLabels?: Tensor | null | undefined;
  /** f32 [C] */
  classWeight: Tensor;
}

/**
 * The adversarial loss of BA3US (Liang et al., ECCV 2020), which fills up a target that lacks classes: the first k of the further
 * source images count as target images. With u = 1 + exp(-H(softmax(logits))), where the gradient of the entropy H is reversed, and the
 * class weights c of source and further images,
 *
 *   W    = (1 + k / n) u c / sum of u c over source and further images; u / sum of u over target images
 *   loss = sum of W BCE(D(f), source or not) / (2 + k / n)
 *
 * All sums are without a gradient.
 */
export class BalancedAdversarialLoss {
  private readonly further = new Scalar(0);
  private readonly weightOfSource = new Scalar(0.5);
  private readonly weightOfTarget = new Scalar(0.5);

  /** @param discriminator stays the caller's */
  constructor(
    private readonly discriminator: DomainDiscriminator,
    private readonly gradientReversal: WarmStartGradientReverseLayer,
  ) {}

  /** Sets how many of the further images count (k), for batches of n; also for runs of a captured step. */
  balance(further: number, n: number): void {
    this.further.value = further;
    this.weightOfSource.value = (1 + further / n) / (2 + further / n);
    this.weightOfTarget.value = 1 / (2 + further / n);
  }

  /** Returns the loss: f32 []. */
  forward({ features, logits, labels, furtherLabels, classWeight }: BalancedBatch): Tensor {
    const { gpu } = features;
    const [N, n, m] = [features.shape[0]!, labels.size, furtherLabels?.size ?? 0];
    const rows = (values: readonly number[]) => constant(gpu, Float32Array.from(values), 'rows');
    const places = Array.from({ length: N }, (_, i) => i);
    const isSource = rows(places.map((i) => Number(i < n))); //                          [N]
    const isTarget = rows(places.map((i) => Number(i >= n && i < 2 * n))); //            [N]
    const weightOf = (labels: Tensor) => domainWeights(classWeight, labels).source;
    const parts = [weightOf(labels), rows(new Array(n).fill(0))];
    if (furtherLabels) {
      const k = scale(rows(new Array(m).fill(1)), this.further); //                      [m]
      // Image j counts if k - j is at least 1.
      const counts = clamp(sub(k, rows(places.slice(0, m))), { min: 0, max: 1 }); //     [m]
      parts.push(mul(weightOf(furtherLabels), counts));
    }
    const c = concat(parts); //                                                          [N]; 0 for target images
    const h = this.gradientReversal.forward(entropy(softmax(logits), { eps: 1e-7 })); // [N]
    const u = plus(exp(scale(h, -1)), 1); //                                             [N]
    const ofSource = shareOf(mul(u, c), this.weightOfSource); //                         [N]
    const ofTarget = shareOf(mul(u, isTarget), this.weightOfTarget); //                  [N]
    const reversed = this.gradientReversal.forward(features); //                         [N, F]
    const z = reshape(this.discriminator.forward(reversed, { sigmoid: false }), [N]); // [N]
    const each = binaryCrossEntropyWithLogits(z, isSource, { reduction: 'none' }); //    [N]
    return sum(mul(add(ofSource, ofTarget), each));
  }
}

/** Divides by the sum, without its gradient, and multiplies by `weight`; 0 if all are 0. */
const shareOf = (x: Tensor, weight: Scalar): Tensor => scale(div(x, clamp(sum(detach(x)), { min: 2 ** -126 })), weight);
