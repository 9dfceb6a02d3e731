import source from '../../shaders/binaryCrossEntropyWithLogits.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { noGrad, record } from '../autograd.ts';
import { checkOptions, type OptionChecks } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { axisOf } from './shared/axis.ts';
import { aTensor, expectDtype, expectShape } from './shared/expect.ts';
import { type Reduction, reductions } from './shared/reduction.ts';
import { scaledSum } from './sum.ts';

const NAME = 'binaryCrossEntropyWithLogits';

const kernel = /* @__PURE__ */ defineKernel(
  'binaryCrossEntropyWithLogits',
  [rowsSource, source],
  ['forward', 'backward'],
);

export interface BinaryCrossEntropyWithLogitsOptions {
  /** Weight of each element: f32 of x's shape. Default: 1. */
  weight?: Tensor;
  /** Weight of the target 1 in each column: f32 [C], where C is the last size of x. Default: 1. */
  posWeight?: Tensor;
  /** How the losses of the elements are reduced. `mean` divides by their number, not by their weights. Default: `mean`. */
  reduction?: Reduction;
}

const checks: OptionChecks<BinaryCrossEntropyWithLogitsOptions> = {
  weight: aTensor,
  posWeight: aTensor,
  reduction: reductions,
};

/**
 * Computes the binary cross-entropy of sigmoid(x) without its overflow (`torch.nn.functional.binary_cross_entropy_with_logits`). x: f32 of
 * any shape, logits; target: f32 of the same shape; loss: f32 [], or x's shape with reduction `none`. Only x gets a gradient.
 *
 * @throws TypeError if the shapes differ
 */
export function binaryCrossEntropyWithLogits(
  x: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyWithLogitsOptions = {},
): Tensor {
  expectDtype(NAME, 'x', x, 'f32');
  checkOptions(NAME, options, checks);
  const { weight, posWeight, reduction = 'mean' } = options;
  const { gpu, size, shape } = x;
  const cols = shape.at(-1) ?? 1;
  expectShape(NAME, 'target', target, shape);
  if (weight) expectShape(NAME, 'weight', weight, shape);
  if (posWeight) expectShape(NAME, 'posWeight', posWeight, [cols]);
  const groups = Math.ceil(size / 64);
  const shared = { x, targets: target, weight: weight ?? x, posWeight: posWeight ?? x };
  const params = {
    ...{ size, cols, weighted: Number(!!weight), positive: Number(!!posWeight) },
    each: Number(reduction === 'none'),
    scale: reduction === 'mean' ? 1 / size : 1,
  };
  const l = empty(gpu, shape, 'f32', NAME);
  kernel.forward({ ...shared, l }, params, groups);
  let loss = l;
  if (reduction !== 'none') {
    loss = noGrad(() => scaledSum(NAME, l, axisOf(NAME, l), params.scale));
    l.dispose();
  }
  return record(NAME, [x], loss, [], (dl, gradient) => {
    const dx = gradient.into(0);
    kernel.backward({ ...shared, dl, dx }, params, groups);
    return [dx];
  });
}
