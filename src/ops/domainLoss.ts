// The loss of PADA's discriminator as one op: binary cross-entropy of both domains, their weights, the mean and the accuracy.
// Composed of other ops it would take about ten dispatches per iteration.
import source from '../../shaders/domainLoss.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { record } from '../autograd.ts';
import { anything, checkOptions, type OptionChecks, wholeFrom } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { aTensor, expectDtype, expectShape } from './shared/expect.ts';
import { type Reduction, reductions } from './shared/reduction.ts';

const kernel = /* @__PURE__ */ defineKernel(
  'domainLoss',
  [rowsSource, source],
  ['forward', 'forwardEach', 'backward', 'backwardEach'],
);

export interface DomainLossOptions {
  /** Number of source rows, which come first in `p`; the others are target rows. */
  sources: number;
  /** Weight of each row: f32 [sources] and f32 [targets]. Default: 1. */
  weights?: { source: Tensor; target: Tensor };
  /** How the losses of the rows are reduced. `none` adds each source row to a target row. Default: `mean`. */
  reduction?: Reduction;
}

const checks: OptionChecks<DomainLossOptions> = {
  sources: /* @__PURE__ */ wholeFrom(1),
  weights: anything,
  reduction: reductions,
};
const weightChecks: OptionChecks<NonNullable<DomainLossOptions['weights']>> = { source: aTensor, target: aTensor };

/**
 * Computes the loss of a domain discriminator: the binary cross-entropy with label 1 for source and 0 for target, as half the sum
 * of both domains' losses (TLlib's `DomainAdversarialLoss`, sigmoid form). Also returns the discriminator's accuracy in percent.
 *
 * p: f32 [n, 1], the probability of "source", in [0, 1]; loss: f32 [], or [sources, 1] with reduction `none`; accuracy: f32 [], no
 * gradient.
 *
 * @throws RangeError unless both domains have rows, and equally many with reduction `none`
 */
export function domainLoss(p: Tensor, options: DomainLossOptions): { loss: Tensor; accuracy: Tensor } {
  expectDtype('domainLoss', 'p', p, 'f32');
  checkOptions('domainLoss', options, checks, ['sources']);
  const { sources, weights, reduction = 'mean' } = options;
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
  if (weights) {
    checkOptions('domainLoss: weights', weights, weightChecks, ['source', 'target']);
    expectShape('domainLoss', 'weights.source', weights.source, [sources]);
    expectShape('domainLoss', 'weights.target', weights.target, [targets]);
  }
  const shared = { p, weightOfSource: weights?.source ?? p, weightOfTarget: weights?.target ?? p };
  const params = { sources, targets, weighted: weights ? 1 : 0, mean: reduction === 'mean' ? 1 : 0 };
  const groups = Math.ceil(size / 64);

  const total = empty(gpu, [], 'f32', 'domainLoss');
  const accuracy = empty(gpu, [], 'f32', 'domainAccuracy');
  kernel.forward({ ...shared, loss: total, accuracy }, params, 1);
  let loss = total;
  if (reduction === 'none') {
    total.dispose();
    loss = empty(gpu, [sources, 1], 'f32', 'domainLoss');
    kernel.forwardEach({ ...shared, each: loss }, params, groups);
  }
  record('domainLoss', [p], loss, [], (dloss, gradient) => {
    const dp = gradient.into(0);
    const backward = reduction === 'none' ? kernel.backwardEach : kernel.backward;
    backward({ ...shared, dloss, dp }, params, groups);
    return [dp];
  });
  return { loss, accuracy };
}
