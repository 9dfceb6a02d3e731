import source from '../../shaders/accuracy.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { expectMatrix, splitRows } from '../rows.ts';
import { empty, expectDtype, expectShape, type Tensor } from '../tensor.ts';

const kernel = /* @__PURE__ */ defineKernel('accuracy', [rowsSource, source], ['forward']);

/**
 * Percent of rows whose largest logit is that of their label: the first of equals, and NaN is the largest, as PyTorch's
 * `argmax` has it. logits: f32 [n, C]; labels: u32 [n]; a label >= C is a wrong one. f32 [], without gradient.
 */
export function accuracy(logits: Tensor, labels: Tensor): Tensor {
  const [rows, cols] = expectMatrix('accuracy', 'logits', logits);
  expectDtype('accuracy', 'labels', labels, 'u32');
  expectShape('accuracy', 'labels', labels, [rows]);
  const percent = empty(logits.gpu, [], 'f32', 'accuracy');
  kernel.forward({ logits, labels, percent }, { rows, cols }, 1, splitRows(logits.gpu, cols).constants);
  return percent;
}
