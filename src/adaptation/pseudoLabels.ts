import source from '../../shaders/pseudoLabels.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import rowSource from '../../shaders/softmax.row.wgsl';
import { checkOptions, type OptionChecks, within } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { aTensor, expectMatrix, expectShape } from '../ops/shared/expect.ts';
import { splitRows } from '../ops/shared/split.ts';
import { empty, type Tensor } from '../tensor.ts';

const kernel = /* @__PURE__ */ defineKernel('pseudoLabels', [rowsSource, rowSource, source], ['forward']);

export interface PseudoLabelOptions {
  /** Weight of each class, which multiplies its probability: f32 [C], at least one above 0. */
  classWeight: Tensor;
  /** Least probability, from 0 to 1, that a label needs to be kept. */
  threshold: number;
}

/** @internal */
export const thresholds = /* @__PURE__ */ within(0, 1);
const checks: OptionChecks<PseudoLabelOptions> = { classWeight: aTensor, threshold: thresholds };

/**
 * Labels the examples that a classifier is sure of: argmax of softmax(logits) w, which is kept where it holds at least the share
 * `threshold` of its sum. logits: f32 [n, C]; labels: u32 [n]; mask: f32 [n], 1 where a label is kept, else 0. No gradient.
 * mask is NaN where a logit is NaN.
 *
 * @throws TypeError if the shapes do not fit each other
 */
export function pseudoLabels(logits: Tensor, options: PseudoLabelOptions): { labels: Tensor; mask: Tensor } {
  const [rows, cols] = expectMatrix('pseudoLabels', 'logits', logits);
  checkOptions('pseudoLabels', options, checks, ['classWeight', 'threshold']);
  const { classWeight, threshold } = options;
  expectShape('pseudoLabels', 'classWeight', classWeight, [cols]);
  const { gpu } = logits;
  const { constants, rowsAtOnce } = splitRows(gpu, cols);
  const labels = empty(gpu, [rows], 'u32', 'pseudo-labels');
  const mask = empty(gpu, [rows], 'f32', 'mask of pseudo-labels');
  const params = { rows, cols, threshold };
  kernel.forward({ logits, classWeight, labels, mask }, params, Math.ceil(rows / rowsAtOnce), { constants });
  return { labels, mask };
}
