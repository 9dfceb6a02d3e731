// Losses of methods that need no discriminator, built from ops. They are small next to a network: none is worth a kernel of its
// own but for the entropies and norms of rows.
import { detach, noGrad } from '../autograd.ts';
import { above, anyNumber, checkOptions, checkValue, inF32, noOptions, type OptionChecks } from '../checks/options.ts';
import { add } from '../ops/add.ts';
import { clamp } from '../ops/clamp.ts';
import { complementEntropy } from '../ops/complementEntropy.ts';
import { div } from '../ops/div.ts';
import { domainWeights } from '../ops/domainWeights.ts';
import { entropy } from '../ops/entropy.ts';
import { exp } from '../ops/exp.ts';
import { mean } from '../ops/mean.ts';
import { mul } from '../ops/mul.ts';
import { reshape } from '../ops/reshape.ts';
import { rowNorm } from '../ops/rowNorm.ts';
import { scale } from '../ops/scale.ts';
import { expectMatrix } from '../ops/shared/expect.ts';
import { sigmoid } from '../ops/sigmoid.ts';
import { logSoftmax, softmax, temperatures } from '../ops/softmax.ts';
import { sub } from '../ops/sub.ts';
import { sum } from '../ops/sum.ts';
import { constant, type Tensor } from '../tensor.ts';

/** @internal Returns x + n. */
export const plus = (x: Tensor, n: number): Tensor => add(x, constant(x.gpu, Float32Array.of(n), 'constant', []));

const mccChecks: OptionChecks<{ temperature?: number }> = { temperature: temperatures };

/**
 * Minimum class confusion (Jin et al., ECCV 2020; TLlib `MinimumClassConfusionLoss`): how much the predictions of a batch confuse
 * pairs of classes. With p = softmax(logits / T), H its entropy per row, v = 1 + exp(-H) without a gradient, and the confusion
 * matrix M = p^T diag(v) p, whose columns are divided by their sums, it is (sum M - trace M) / C.
 */
export class MinimumClassConfusionLoss {
  readonly temperature: number;

  /** @param options `temperature` T of the softmax; TLlib's scripts use 2.5 */
  constructor(options: { temperature: number }) {
    checkOptions('MinimumClassConfusionLoss', options, mccChecks, ['temperature']);
    this.temperature = options.temperature;
  }

  /** logits: f32 [n, C]. Returns f32 [], from 0 to 1. The term of a class that no row predicts is its limit 1 / C, not 0 / 0. */
  forward(logits: Tensor): Tensor {
    const [n] = expectMatrix('MinimumClassConfusionLoss', 'logits', logits);
    const p = softmax(logits, this); //                                      [n, C]
    // TLlib also scales v to a mean of 1, which cancels.
    const inverse = noGrad(() => sigmoid(entropy(p))); //                    [n]; 1 / v = 1 / (1 + exp(-H))
    const weighted = div(p, reshape(inverse, [n, 1])); //                    [n, C]
    // The rows of p have the sum 1, so a column of M has the sum of `weighted` over it: the matrix itself is not needed.
    const diagonal = sum(mul(weighted, p), { dim: 0 }); //                   [C]
    // Smaller sums are subnormal numbers or 0, and their diagonal is 0.
    const columns = clamp(sum(weighted, { dim: 0 }), { min: 2 ** -126 }); // [C]
    return plus(scale(mean(div(diagonal, columns)), -1), 1); //              []
  }
}

const afnChecks: OptionChecks<{ delta?: number }> = { delta: /* @__PURE__ */ inF32(anyNumber) };

/**
 * Adaptive feature norm (Xu et al., ICCV 2019; TLlib `AdaptiveFeatureNorm`): mean over rows of (|f| - stop(|f|) - delta)^2. Its value
 * is always delta^2, and its gradient makes every feature vector longer, by a force that does not depend on its length.
 */
export class AdaptiveFeatureNorm {
  readonly delta: number;

  /** @param options `delta`, by how much the norms are to grow; TLlib's default is 1 */
  constructor(options: { delta: number }) {
    checkOptions('AdaptiveFeatureNorm', options, afnChecks, ['delta']);
    this.delta = options.delta;
  }

  /** f: f32 [n, F]. Returns f32 []. The gradient of a row of zeros is 0. */
  forward(f: Tensor): Tensor {
    const norm = mean(rowNorm(f));
    // (x - stop(x) - delta)^2 has the value delta^2 and the slope -2 delta. The difference is 0, and NaN if a feature is.
    return plus(scale(sub(norm, detach(norm)), -2 * this.delta), this.delta ** 2);
  }
}

const exponents = /* @__PURE__ */ inF32(/* @__PURE__ */ above(0));

/**
 * The alpha-power loss of ARPM (Gu et al., "Adversarial Reweighting with α-Power Maximization", 2024): minus the mean over rows of
 * sum_k p_k^alpha with p = softmax(logits). Like entropy it makes predictions certain, but hardly moves those that are uncertain.
 * logits: f32 [n, C]; alpha: above 0, in the paper 6. Returns f32 [], from -1 to 0.
 */
export const alphaPowerLoss: (logits: Tensor, alpha: number) => Tensor = (logits, alpha, options?: unknown) => {
  noOptions('alphaPowerLoss', options);
  checkValue('alphaPowerLoss', 'alpha', alpha, exponents);
  const [n] = expectMatrix('alphaPowerLoss', 'logits', logits);
  return scale(sum(exp(scale(logSoftmax(logits), alpha))), -1 / n);
};

/**
 * The complement entropy loss of BA3US (Liang et al., ECCV 2020): spreads the probability that source examples leave to other classes
 * than their own. With q = p_k / (1 - p_y) over k != y, it is the mean of sum_k q_k log q_k / log(C - 1), weighted by w[y] (1 - p_y)
 * without a gradient; 0 if all weights are.
 *
 * logits: f32 [n, C], C >= 3; labels: u32 [n]; classWeight: f32 [C]. Returns f32 [], from -1 to 0.
 */
export const complementEntropyLoss: (logits: Tensor, labels: Tensor, classWeight: Tensor) => Tensor = (
  logits,
  labels,
  classWeight,
  options?: unknown,
) => {
  noOptions('complementEntropyLoss', options);
  const { loss, rest } = complementEntropy(softmax(logits), labels); //      [n], [n]
  const weight = mul(domainWeights(classWeight, labels).source, rest); //    [n]
  return div(sum(mul(weight, loss)), clamp(sum(weight), { min: 2 ** -126 })); // []
};
