import source from '../../shaders/confusionMatrix.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { noOptions } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Tensor } from '../tensor.ts';
import { expectMatrix, expectShape } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('confusionMatrix', [rowsSource, source], ['count']);

/**
 * Adds a batch to a confusion matrix: row r counts at `into[label of r][index of its largest logit]`. logits: f32 [n, C];
 * labels: u32 [n]; into: u32 [C, C]. No gradient.
 *
 * A row is not counted if its label is >= C or if it holds NaN; compare the sum of the counts with the number of rows.
 */
export const confusionMatrix: (logits: Tensor, labels: Tensor, into: Tensor) => void = (
  logits,
  labels,
  into,
  options?: unknown,
) => {
  noOptions('confusionMatrix', options);
  const [rows, classes] = expectMatrix('confusionMatrix', 'logits', logits);
  expectShape('confusionMatrix', 'labels', labels, [rows], 'u32');
  expectShape('confusionMatrix', 'into', into, [classes, classes], 'u32');
  kernel.count({ logits, labels, counts: into }, { rows, classes }, Math.ceil(rows / 64));
};
