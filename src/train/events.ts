/** Losses and accuracies of one iteration, on its own training batch. */
export interface IterationMetrics {
  /** Counts from 0. */
  iteration: number;
  classLoss: number;
  /** Domain adversarial loss; 0 under source-only. */
  transferLoss: number;
  /** Percent of the source batch that is classified correctly. */
  classAccuracy: number;
  /** Percent of both batches whose domain the discriminator predicts correctly; NaN under source-only. */
  domainAccuracy: number;
}

/** Class weights after an update, with their diagnostics. */
export interface ClassWeightEvent {
  /** Iterations done. */
  iteration: number;
  /** One weight per class, in [0, 1]; the largest is 1. */
  classWeight: readonly number[];
  /** Effective number of classes: (sum w)^2 / sum w^2. */
  effectiveClasses: number;
  /** Entropy of the normalised weights, in nats. */
  entropy: number;
  /** True if fewer than two classes are left: then the weights tell nothing about the target. */
  collapsed: boolean;
}

/** Accuracy of a classifier on a labelled set. */
export interface Evaluation {
  /** Percent. */
  accuracy: number;
  /** Percent per class; NaN for a class that the set does not contain. */
  perClass: number[];
  /** `confusion[truth][prediction]` counts images. */
  confusion: number[][];
  count: number;
}
