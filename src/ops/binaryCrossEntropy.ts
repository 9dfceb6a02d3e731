import source from '../../shaders/binaryCrossEntropy.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { noGrad, record } from '../autograd.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { checkReduction } from '../rows.ts';
import { empty, expectShape, type Tensor } from '../tensor.ts';
import { mean } from './mean.ts';
import { sum } from './sum.ts';

const kernel = /* @__PURE__ */ defineKernel('binaryCrossEntropy', [rowsSource, source], ['forward', 'backward']);

export interface BinaryCrossEntropyOptions {
  /** f32, of p's shape: how much each element counts. */
  weight?: Tensor;
  /** `mean` divides by the number of elements, whatever they weigh (default). */
  reduction?: 'mean' | 'sum' | 'none';
}

/**
 * Binary cross-entropy of probabilities with targets (`torch.nn.functional.binary_cross_entropy`); logarithms are clamped at
 * -100. p: f32 of any shape, in [0, 1] (else NaN); target: f32 of the same shape; loss: f32 [], or p's shape with reduction
 * `none`. Gradient for p alone.
 */
export function binaryCrossEntropy(
  p: Tensor,
  target: Tensor,
  { weight, reduction = 'mean' }: BinaryCrossEntropyOptions = {},
): Tensor {
  const { gpu, size } = p;
  checkReduction('binaryCrossEntropy', reduction);
  expectShape('binaryCrossEntropy', 'target', target, p.shape);
  if (weight) expectShape('binaryCrossEntropy', 'weight', weight, p.shape);
  const groups = Math.ceil(size / 64);
  const shared = { p, targets: target, weight: weight ?? p };
  const params = {
    size,
    weighted: Number(!!weight),
    each: Number(reduction === 'none'),
    scale: reduction === 'mean' ? 1 / size : 1,
  };
  const l = empty(gpu, p.shape, 'f32', 'binaryCrossEntropy');
  kernel.forward({ ...shared, l }, params, groups);
  let loss = l;
  if (reduction !== 'none') {
    loss = noGrad(() => (reduction === 'mean' ? mean(l) : sum(l)));
    l.dispose();
  }
  return record('binaryCrossEntropy', [p], loss, [], (dl, gradient) => {
    const dp = gradient.into(0);
    kernel.backward({ ...shared, dl, dp }, params, groups);
    return [dp];
  });
}
