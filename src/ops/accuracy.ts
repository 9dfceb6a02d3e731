import rowSource from '../../shaders/accuracy.row.wgsl';
import source from '../../shaders/accuracy.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { noOptions } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectMatrix, expectShape } from './shared/expect.ts';
import { splitRows } from './shared/split.ts';

const kernel = /* @__PURE__ */ defineKernel('accuracy', [rowsSource, rowSource, source], ['forward']);

/**
 * Computes the percentage of rows whose largest logit is at their label. logits: f32 [n, C]; labels: u32 [n]; y: f32 [], no
 * gradient. The first of equal logits counts, and NaN is the largest, as in PyTorch's `argmax`. A label >= C counts as wrong.
 */
export const accuracy: (logits: Tensor, labels: Tensor) => Tensor = (logits, labels, options?: unknown) => {
  noOptions('accuracy', options);
  const [rows, cols] = expectMatrix('accuracy', 'logits', logits);
  expectShape('accuracy', 'labels', labels, [rows], 'u32');
  const percent = empty(logits.gpu, [], 'f32', 'accuracy');
  kernel.forward({ logits, labels, percent }, { rows, cols }, 1, { constants: splitRows(logits.gpu, cols).constants });
  return percent;
};
