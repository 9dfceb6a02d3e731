import source from '../../shaders/pseudoLabels.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import rowSource from '../../shaders/softmax.row.wgsl';
import { checkOptions, type OptionChecks, within } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { aTensor, expectMatrix, expectShape } from '../ops/shared/expect.ts';
import { splitRows } from '../ops/shared/split.ts';
import { empty, type Tensor } from '../tensor.ts';

const kernel = /* @__PURE__ */ defineKernel('pseudoLabels', [rowsSource, rowSource, source], ['forward', 'balance']);

export interface PseudoLabelOptions {
  /** Weight of each class, which multiplies its probability: f32 [C], at least one above 0. */
  classWeight: Tensor;
  /** Least probability, from 0 to 1, that a label needs to be kept. */
  threshold: number;
}

/** Labels that a classifier gives to examples itself. */
export interface PseudoLabels {
  /** u32 [n] */
  labels: Tensor;
  /** f32 [n]: 1 where a label is kept, else 0. */
  mask: Tensor;
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
export function pseudoLabels(logits: Tensor, options: PseudoLabelOptions): PseudoLabels {
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

/**
 * Returns a weight for each pseudo-label, f32 [n]: the kept labels of a class share its class weight equally, and all weights
 * together are as many as labels are kept. So a class with few labels is not outvoted by one with many, which would make the model
 * take more and more images for the latter. 0 where a label is not kept. No gradient.
 *
 * @throws TypeError if the shapes do not fit each other
 */
export function balancePseudoLabels({ labels, mask }: PseudoLabels, classWeight: Tensor): Tensor {
  const [rows, cols] = [labels.size, classWeight.size];
  expectShape('balancePseudoLabels', 'labels', labels, [rows], 'u32');
  expectShape('balancePseudoLabels', 'mask', mask, [rows]);
  expectShape('balancePseudoLabels', 'classWeight', classWeight, [cols]);
  const weight = empty(labels.gpu, [rows], 'f32', 'weight of pseudo-labels');
  const buffers = { labelsIn: labels, maskIn: mask, classWeight, weight };
  kernel.balance(buffers, { rows, cols, threshold: 0 }, 1, { constants: { LANES: 64 } });
  return weight;
}
