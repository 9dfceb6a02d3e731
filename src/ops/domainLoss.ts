import source from '../../shaders/domainLoss.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { record } from '../autograd.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { checkReduction } from '../rows.ts';
import { empty, expectShape, type Tensor } from '../tensor.ts';

const kernel = /* @__PURE__ */ defineKernel(
  'domainLoss',
  [rowsSource, source],
  ['forward', 'forwardEach', 'backward', 'backwardEach'],
);

export interface DomainLossOptions {
  /** Rows of `p` that come from the source; the others come from the target. */
  sources: number;
  /** f32 [sources] and [targets]: how much each image counts. */
  weights?: { source: Tensor; target: Tensor };
  /** `none` wants as many source as target images. */
  reduction?: 'mean' | 'sum' | 'none';
}

/**
 * Binary cross-entropy of a domain discriminator's probabilities, source images labelled 1 and target images 0, as half the
 * sum of both domains' losses (TLlib `DomainAdversarialLoss`, sigmoid form), and the discriminator's accuracy in percent.
 * p: f32 [n, 1], in [0, 1]; loss: f32 [] or, with reduction `none`, [sources, 1]; accuracy: f32 [], without gradient.
 */
export function domainLoss(
  p: Tensor,
  { sources, weights, reduction = 'mean' }: DomainLossOptions,
): { loss: Tensor; accuracy: Tensor } {
  const { gpu, size } = p;
  const targets = size - sources;
  checkReduction('domainLoss', reduction);
  expectShape('domainLoss', 'p', p, [size, 1]);
  if (!(sources > 0 && targets > 0))
    throw new RangeError(`domainLoss: of ${size} rows ${sources} are source; both domains need one at least`);
  if (reduction === 'none' && sources !== targets) {
    throw new RangeError(
      `domainLoss: reduction 'none' pairs source with target, but there are ${sources} and ${targets}; use 'mean' or 'sum'`,
    );
  }
  if (weights) {
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
