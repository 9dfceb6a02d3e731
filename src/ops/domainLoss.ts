// The loss of PADA's discriminator as one op: sigmoid, binary cross-entropy of both domains, their weights, the mean and the
// accuracy. Composed of other ops it would take about twelve dispatches per iteration.
import source from '../../shaders/domainLoss.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { record } from '../autograd.ts';
import { anything, checkOptions, flag, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { isOne, suitsEarlyGradient } from './shared/earlyGradient.ts';
import { aTensor, expectDtype, expectShape } from './shared/expect.ts';
import { type Reduction, reductions } from './shared/reduction.ts';

const kernel = /* @__PURE__ */ defineKernel(
  'domainLoss',
  [rowsSource, source],
  ['forward', 'forwardEach', 'backward', 'backwardEach'],
);

/** Weight of each row: f32 [sources] and f32 [targets]. */
export interface WeightsOfRows {
  source: Tensor;
  target: Tensor;
}

/** Weight of each class, f32 [C], and the class of each source row, u32 [sources]. A target row has the mean weight of the source rows. */
export interface WeightsOfClasses {
  classWeight: Tensor;
  labels: Tensor;
}

export interface DomainLossOptions {
  /** Number of source rows, which come first in `p`; the others are target rows. */
  sources: number;
  /** Weights of the rows, or of their classes, which are looked up as by `domainWeights`. Default: 1. */
  weights?: WeightsOfRows | WeightsOfClasses;
  /** How the losses of the rows are reduced. `none` adds each source row to a target row. Default: `mean`. */
  reduction?: Reduction;
  /** Whether `p` holds logits, to which the sigmoid is applied in the same dispatch. Default: false. */
  logits?: boolean;
}

const checks: OptionChecks<DomainLossOptions> = {
  sources: /* @__PURE__ */ wholeFrom(1),
  weights: anything,
  reduction: reductions,
  logits: flag,
};
const rowChecks: OptionChecks<WeightsOfRows> = { source: aTensor, target: aTensor };
const classChecks: OptionChecks<WeightsOfClasses> = { classWeight: aTensor, labels: aTensor };

/** @internal Whether weights are given by class. Throws `TypeError` if they are neither. */
export function areOfClasses(who: string, weights: WeightsOfRows | WeightsOfClasses): weights is WeightsOfClasses {
  const byClass = Object(weights) === weights && ('classWeight' in weights || 'labels' in weights);
  if (byClass) checkOptions(`${who}: weights`, weights, classChecks, ['classWeight', 'labels']);
  else checkOptions(`${who}: weights`, weights, rowChecks, ['source', 'target']);
  return byClass;
}

/**
 * Computes the loss of a domain discriminator: the binary cross-entropy with label 1 for source and 0 for target, as half the sum
 * of both domains' losses (TLlib's `DomainAdversarialLoss`, sigmoid form). Also returns the discriminator's accuracy in percent.
 *
 * p: f32 [n, 1], the probability of "source", in [0, 1], or its logit; loss: f32 [], or [sources, 1] with reduction `none`; accuracy: f32 [], no
 * gradient.
 *
 * @throws RangeError unless both domains have rows, and equally many with reduction `none`
 */
export function domainLoss(p: Tensor, options: DomainLossOptions): { loss: Tensor; accuracy: Tensor } {
  expectDtype('domainLoss', 'p', p, 'f32');
  checkOptions('domainLoss', options, checks, ['sources']);
  const { sources, weights, reduction = 'mean', logits = false } = options;
  const { gpu, size } = p;
  const targets = size - sources;
  expectShape('domainLoss', 'p', p, [size, 1]);
  if (targets < 1)
    throw new RangeError(`domainLoss: sources is ${sources} but p has ${size} rows; both domains need at least one`);
  if (reduction === 'none' && sources !== targets) {
    throw new RangeError(
      `domainLoss: reduction 'none' pairs source with target, but there are ${sources} and ${targets}; use 'mean' or 'sum'`,
    );
  }
  const ofClasses = weights && areOfClasses('domainLoss', weights) ? weights : undefined;
  const ofRows = weights && !ofClasses ? (weights as WeightsOfRows) : undefined;
  if (ofClasses) {
    expectShape('domainLoss', 'weights.classWeight', ofClasses.classWeight, [ofClasses.classWeight.size]);
    expectShape('domainLoss', 'weights.labels', ofClasses.labels, [sources], 'u32');
  }
  if (ofRows) {
    expectShape('domainLoss', 'weights.source', ofRows.source, [sources]);
    expectShape('domainLoss', 'weights.target', ofRows.target, [targets]);
  }
  const shared = {
    ...{ z: p, weightOfSource: ofRows?.source ?? p, weightOfTarget: ofRows?.target ?? p },
    ...{ classWeight: ofClasses?.classWeight ?? p, labels: ofClasses?.labels ?? p },
  };
  const classes = ofClasses?.classWeight.size ?? 0;
  const isEarly = reduction !== 'none' && suitsEarlyGradient(p);
  const params = {
    ...{ sources, targets, weighted: Number(!!ofRows), mean: Number(reduction === 'mean'), classes },
    gradient: Number(isEarly),
  };
  // All 64 invocations add up the weights together.
  const constants = { LOGITS: Number(logits), BY_CLASS: Number(!!ofClasses), LANES: ofClasses ? 64 : 1 };
  const groups = Math.ceil(size / 64);

  const total = empty(gpu, [], 'f32', 'domainLoss');
  const accuracy = empty(gpu, [], 'f32', 'domainAccuracy');
  const early = empty(gpu, isEarly ? p.shape : [1], 'f32', 'dp');
  kernel.forward({ ...shared, loss: total, accuracy, dz: early }, params, 1, { constants });
  let loss = total;
  if (reduction === 'none') {
    total.dispose();
    loss = empty(gpu, [sources, 1], 'f32', 'domainLoss');
    kernel.forwardEach({ ...shared, each: loss }, params, groups, { constants });
  }
  record('domainLoss', [p], loss, [early], (dloss, gradient) => {
    if (isEarly && isOne(dloss)) return [early];
    const dz = gradient.into(0);
    const backward = reduction === 'none' ? kernel.backwardEach : kernel.backward;
    backward({ ...shared, dloss, dz }, params, groups, { constants });
    return [dz];
  });
  return { loss, accuracy };
}
