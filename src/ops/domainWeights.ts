import source from '../../shaders/domainWeights.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { noOptions } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectDtype, expectShape } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('domainWeights', [rowsSource, source], ['forward']);

/**
 * Looks up how much each image of a batch counts in the domain adversarial loss (TLlib's
 * `get_class_weight_for_adversarial_loss`). A source image has the weight of its class; every target image has the mean of the
 * batch's source weights.
 *
 * classWeight: f32 [C]; labels: u32 [n], each < C (else NaN); source, target: f32 [n], no gradient.
 */
export const domainWeights: (classWeight: Tensor, labels: Tensor) => { source: Tensor; target: Tensor } = (
  classWeight,
  labels,
  options?: unknown,
) => {
  noOptions('domainWeights', options);
  expectDtype('domainWeights', 'labels', labels, 'u32');
  expectDtype('domainWeights', 'classWeight', classWeight, 'f32');
  const { gpu, size: n } = labels;
  expectShape('domainWeights', 'labels', labels, [n], 'u32');
  expectShape('domainWeights', 'classWeight', classWeight, [classWeight.size]);
  const weightOfSource = empty(gpu, [n], 'f32', 'weightOfSource');
  const weightOfTarget = empty(gpu, [n], 'f32', 'weightOfTarget');
  kernel.forward({ classWeight, labels, weightOfSource, weightOfTarget }, { n, classes: classWeight.size }, 1, {
    constants: {
      LANES: 64,
    },
  });
  return { source: weightOfSource, target: weightOfTarget };
};
