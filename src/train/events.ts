/** Losses and accuracies of one iteration, on its own training batch. */
export interface IterationMetrics {
  /** Counts from 0. */
  iteration: number;
  classLoss: number;
  /** Loss of the adaptation; 0 for a method without one. */
  transferLoss: number;
  /** Percent of the source batch that is classified correctly. */
  classAccuracy: number;
  /** Percent of both batches whose domain the discriminator predicts correctly; NaN for a method without one. */
  domainAccuracy: number;
}

/** Class weights, with their diagnostics. */
export interface ClassWeightEvent {
  /** Iterations done. */
  iteration: number;
  /** One weight per class, in [0, 1]; the largest is 1. */
  classWeight: readonly number[];
  /** Effective number of classes: (sum w)^2 / sum w^2. */
  effectiveClasses: number;
  /** Entropy of the normalised weights, in nats. */
  entropy: number;
  /** Whether fewer than two of more than two classes are effective. Adaptation fails then, unless the target has only one or two. */
  collapsed: boolean;
}

/** Accuracies on the labelled sets at one iteration. */
export interface EvaluationEvent {
  /** Iterations done. */
  iteration: number;
  target?: Evaluation;
  source?: Evaluation;
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
