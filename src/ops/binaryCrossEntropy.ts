import source from '../../shaders/binaryCrossEntropy.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { noGrad, record } from '../autograd.ts';
import { checkOptions, type OptionChecks } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { axisOf } from './shared/axis.ts';
import { aTensor, expectDtype, expectShape } from './shared/expect.ts';
import { type Reduction, reductions } from './shared/reduction.ts';
import { scaledSum } from './sum.ts';

const kernel = /* @__PURE__ */ defineKernel('binaryCrossEntropy', [rowsSource, source], ['forward', 'backward']);

export interface BinaryCrossEntropyOptions {
  /** Weight of each element: f32 of p's shape. Default: 1. */
  weight?: Tensor;
  /** How the losses of the elements are reduced. `mean` divides by their number, not by their weights. Default: `mean`. */
  reduction?: Reduction;
}

const checks: OptionChecks<BinaryCrossEntropyOptions> = { weight: aTensor, reduction: reductions };

/**
 * Computes the binary cross-entropy of probabilities (`torch.nn.functional.binary_cross_entropy`). p: f32 of any shape, in [0, 1]
 * (else NaN); target: f32 of the same shape; loss: f32 [], or p's shape with reduction `none`. Logarithms are clamped at -100,
 * as in PyTorch. Only p gets a gradient.
 *
 * @throws TypeError if the shapes differ
 */
export function binaryCrossEntropy(p: Tensor, target: Tensor, options: BinaryCrossEntropyOptions = {}): Tensor {
  expectDtype('binaryCrossEntropy', 'p', p, 'f32');
  checkOptions('binaryCrossEntropy', options, checks);
  const { weight, reduction = 'mean' } = options;
  const { gpu, size } = p;
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
    loss = noGrad(() => scaledSum('binaryCrossEntropy', l, axisOf('binaryCrossEntropy', l), params.scale));
    l.dispose();
  }
  return record('binaryCrossEntropy', [p], loss, [], (dl, gradient) => {
    const dp = gradient.into(0);
    kernel.backward({ ...shared, dl, dp }, params, groups);
    return [dp];
  });
}
