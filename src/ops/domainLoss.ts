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
  /** Rows of `p` that come from the source; the others come from the target. */
  sources: number;
  /** f32 [sources] and [targets]: weight of each image. */
  weights?: { source: Tensor; target: Tensor };
  /** `none` wants as many source as target images. */
  reduction?: Reduction;
}

const checks: OptionChecks<DomainLossOptions> = {
  sources: /* @__PURE__ */ wholeFrom(1),
  weights: anything,
  reduction: reductions,
};
const weightChecks: OptionChecks<NonNullable<DomainLossOptions['weights']>> = { source: aTensor, target: aTensor };

/**
 * Computes the binary cross-entropy of a domain discriminator's probabilities, source images labelled 1 and target images 0, as half the
 * sum of both domains' losses (TLlib `DomainAdversarialLoss`, sigmoid form), and the discriminator's accuracy in percent.
 * p: f32 [n, 1], in [0, 1]; loss: f32 [] or, with reduction `none`, [sources, 1]; accuracy: f32 [], without gradient.
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
