/** What one iteration measured; losses and accuracies of its own training batch. */
export interface IterationMetrics {
  /** Counts from 0. */
  iteration: number;
  classLoss: number;
  /** Domain adversarial loss; 0 under source-only. */
  transferLoss: number;
  /** Percent of the source batch classified rightly. */
  classAccuracy: number;
  /** Percent of both batches whose domain the discriminator tells; NaN under source-only. */
  domainAccuracy: number;
}

/** Class weights after an update, with their diagnostics. */
export interface ClassWeightEvent {
  /** Iterations done. */
  iteration: number;
  /** In [0, 1], the largest being 1; one a class. */
  classWeight: readonly number[];
  /** Effective number of classes: (sum w)^2 / sum w^2. */
  effectiveClasses: number;
  /** Entropy of the normalised weights, in nats. */
  entropy: number;
  /** True where fewer than two classes are left: the weights say nothing any more. */
  collapsed: boolean;
}

/** How a classifier does on a labelled set. */
export interface Evaluation {
  /** Percent. */
  accuracy: number;
  /** Percent by class; NaN where the set has none of a class. */
  perClass: number[];
  /** `confusion[truth][prediction]` counts images. */
  confusion: number[][];
  count: number;
}
