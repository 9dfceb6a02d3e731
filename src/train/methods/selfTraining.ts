// Self-training: labels of its own for target images that it is sure of, under strong jitter
//
//   w    = min(1, s / (share · max s))²,   s = mean over the target of softmax(logits / T); ones at first
//   loss = sum_i u[y_i] CE_i / sum_i u[y_i] + ramp · mean_j v_j CE(logits of jittered target image j, y'_j),   u = floor + (1 - floor) w
//
// y'_j = argmax of q_j = softmax(logits of the plain image j, in evaluation mode) · w, and m_j = 1 if its share of sum q_j is at least
// the threshold, else 0. v_j = m_j w[y'_j] / (number of kept labels y'_j), scaled so that sum v = sum m; or just m_j if the weights of
// pseudo-labels are equal. The second term begins at iteration `pseudoFrom`, and its factor rises to 1 within `ramp` iterations.
//
// Class weights that saturate treat all classes that are clearly in the target alike; proportional ones let rich classes swallow poor
// ones. The floor keeps every class in the loss: if weights may reach 0, a constant answer can become its optimum. A high threshold
// and a wide jitter of both domains keep wrong labels from spreading. So do balanced weights: without them, a class that gains a few
// wrong labels gets a larger part of the loss, and gains more. The pseudo-labels follow FixMatch (Sohn et al., NeurIPS 2020).
import { classify } from '../../adaptation/classify.ts';
import { balancePseudoLabels, pseudoLabels, thresholds } from '../../adaptation/pseudoLabels.ts';
import { noGrad } from '../../autograd.ts';
import { checkOptions, oneOf, wholeFrom, withDefaults } from '../../checks/options.ts';
import { Scalar } from '../../gpu/scalar.ts';
import { concat } from '../../ops/concat.ts';
import { crossEntropy, labelledLoss } from '../../ops/crossEntropy.ts';
import { scale } from '../../ops/scale.ts';
import { slice } from '../../ops/slice.ts';
import { type ClassWeightsOptions, classWeightsChecks, classWeightsOf } from './classWeights.ts';
import type { Method, Recipe } from './method.ts';

/** Options of {@link selfTraining}. Defaults for class weights: temperature 1, share 0.3, floor 0.05. */
export interface SelfTrainingOptions extends Omit<ClassWeightsOptions, 'classWeights'> {
  /** Least probability of a pseudo-label, after class weights, from 0 to 1. Default: 0.99. */
  threshold?: number;
  /** The iteration that pseudo-labels begin at. Until then only source batches are trained on. Default: 300. */
  pseudoFrom?: number;
  /** Iterations in which the weight of their loss rises to 1. Default: 200. */
  ramp?: number;
  /** Whether the kept pseudo-labels of each class count alike together (`balanced`), or each label counts alike (`equal`). Default: balanced. */
  pseudoLabelWeights?: 'balanced' | 'equal';
}

export const selfTrainingDefaults = {
  ...{ threshold: 0.99, pseudoFrom: 300, ramp: 200, pseudoLabelWeights: 'balanced' as 'balanced' | 'equal' },
  ...{ temperature: 1, classWeightUpdateSteps: 100, share: 0.3, floor: 0.05 },
};

/** Adapts by training on its own confident predictions. Give `train` a jitter of both domains, such as `strongJitter()`. */
export const selfTraining = (given: SelfTrainingOptions = {}): Method => {
  // Not a constant, which bundlers would keep for its spread even if nothing uses it.
  const { classWeights: _, ...ofClassWeights } = classWeightsChecks;
  checkOptions<SelfTrainingOptions>('selfTraining', given, {
    ...{ ...ofClassWeights, threshold: thresholds, pseudoFrom: wholeFrom(0), ramp: wholeFrom(1) },
    pseudoLabelWeights: oneOf('balanced', 'equal'),
  });
  const options = withDefaults(selfTrainingDefaults, given);
  const { threshold, pseudoFrom, ramp, pseudoLabelWeights } = options;
  return {
    name: 'self-training',
    options: { ...options },
    usesTarget: true,
    begin(setup): Recipe {
      const { model } = setup;
      const classWeights = classWeightsOf(setup, { ...options, classWeights: 'saturating' });
      const weightOfTarget = new Scalar(0);
      return {
        classWeights,
        advance(iteration) {
          weightOfTarget.value = Math.min(1, Math.max(0, (iteration - pseudoFrom + 1) / ramp));
        },
        warmUp: {
          iterations: pseudoFrom,
          losses({ source: { x, labels } }) {
            const { logits } = model.forward(x); //                               [n, numClasses]
            const weight = classWeights.getClassWeightForCrossEntropyLoss(); //   [numClasses]
            const { classLoss, classAccuracy } = labelledLoss(logits, labels, { weight, weightless: 0 }); // [], []
            return { loss: classLoss, classLoss, classAccuracy };
          },
        },
        losses({ source, target, plainTarget }) {
          const { labels } = source; //                                           [n]
          const n = labels.size;
          const { classWeight } = classWeights; //                                [numClasses]
          const plainLogits = noGrad(() => classify(model, plainTarget)); //      [n, numClasses]
          const pseudo = pseudoLabels(plainLogits, { classWeight, threshold }); // labels, mask: [n]
          const sampleWeight = pseudoLabelWeights === 'equal' ? pseudo.mask : balancePseudoLabels(pseudo, classWeight);
          const x = concat([source.x, target.x]); //                              [2n, C, H, W]
          // One pass for both domains, so batch norm uses the statistics of both.
          const { logits } = model.forward(x); //                                 [2n, numClasses]
          const weight = classWeights.getClassWeightForCrossEntropyLoss(); //     [numClasses]
          const { classLoss, classAccuracy } = labelledLoss(logits, labels, { weight, weightless: 0 }); // [], []
          // The mean over all n target images, kept or not: few labels weigh little.
          const targetLogits = slice(logits, n, 2 * n); //                    [n, numClasses]
          const transferLoss = crossEntropy(targetLogits, pseudo.labels, { sampleWeight }); // []
          const loss = [classLoss, scale(transferLoss, weightOfTarget)]; //       [] + []
          return { loss, classLoss, transferLoss, classAccuracy, targetLogits: () => targetLogits };
        },
      };
    },
  };
};
