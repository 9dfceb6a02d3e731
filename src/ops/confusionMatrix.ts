import source from '../../shaders/confusionMatrix.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import type { Tensor } from '../tensor.ts';
import { expectMatrix, expectShape } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('confusionMatrix', [rowsSource, source], ['count']);

/**
 * Adds a batch to a confusion matrix: `into[truth][prediction]` counts rows, and the prediction is the largest logit.
 * logits: f32 [n, C]; labels: u32 [n]; into: u32 [C, C]. A row with a label >= C or a logit that is NaN has no place and is
 * not counted: compare the sum of all counts with the number of rows. Without gradient.
 */
export function confusionMatrix(logits: Tensor, labels: Tensor, into: Tensor): void {
  const [rows, classes] = expectMatrix('confusionMatrix', 'logits', logits);
  expectShape('confusionMatrix', 'labels', labels, [rows], 'u32');
  expectShape('confusionMatrix', 'into', into, [classes, classes], 'u32');
  kernel.count({ logits, labels, counts: into }, { rows, classes }, Math.ceil(rows / 64));
}
