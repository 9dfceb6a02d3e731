// Softmax, cross-entropy and its mean in one dispatch (two for large batches), and the gradient in another. Forward keeps two
// numbers per row, the maximum and the sum of exponentials, so that backward needs no softmax matrix. For the small batches of
// most training steps, forward also computes the gradient of the loss itself, and backward needs no dispatch.
import accuracySource from '../../shaders/accuracy.row.wgsl';
import source from '../../shaders/crossEntropy.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import rowSource from '../../shaders/softmax.row.wgsl';
import { record } from '../autograd.ts';
import { checkOptions, type OptionChecks, wholeWithin, within } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { isOne, suitsEarlyGradient } from './shared/earlyGradient.ts';
import { aTensor, expectMatrix, expectShape } from './shared/expect.ts';
import { type Reduction, reductions } from './shared/reduction.ts';
import { splitRows } from './shared/split.ts';

export type { Reduction } from './shared/reduction.ts';

const kernel = /* @__PURE__ */ defineKernel(
  'crossEntropy',
  [rowsSource, rowSource, accuracySource, source],
  ['forward', 'total', 'backward'],
);

// One workgroup does up to this many blocks of 64 / LANES rows by itself; for more, a second dispatch adds up several workgroups.
const BLOCKS_ALONE = 4;
const MOST_GROUPS = 256;
// The byte at which the kernel writes the accuracy, behind the loss: WebGPU's largest offset alignment of a tensor.
const ACCURACY_AT = 256;

export interface CrossEntropyOptions {
  /** Weight of each class: f32 [C]. Default: 1. */
  weight?: Tensor;
  /** Weight of each row: f32 [n]. Default: 1. */
  sampleWeight?: Tensor;
  /**
   * How the losses of the rows are reduced. `mean` divides by the sum of the labels' class weights, or by the number of rows if
   * there are no class weights or if there is a `sampleWeight`. Ignored rows do not count. Default: `mean`.
   */
  reduction?: Reduction;
  /** Rows with this label have loss 0 and gradient 0. A negative label is compared as u32: -100 is 2^32 - 100. Default: none. */
  ignoreIndex?: number;
  /** Label smoothing (Szegedy et al. 2016): the share of each target, from 0 to 1, that is spread over all classes. Default: 0. */
  labelSmoothing?: number;
  /** @internal Makes the mean loss and its gradient 0, instead of NaN, if every label weighs less than 2^-126. */
  weightless?: 0;
}

const checks: OptionChecks<CrossEntropyOptions> = {
  weight: aTensor,
  sampleWeight: aTensor,
  reduction: reductions,
  ignoreIndex: /* @__PURE__ */ wholeWithin(-(2 ** 31), 2 ** 32 - 1),
  labelSmoothing: /* @__PURE__ */ within(0, 1),
  weightless: { wanted: '0', holds: (value) => value === 0 },
};

/**
 * Computes the cross-entropy of rows of logits (`torch.nn.functional.cross_entropy`). logits: f32 [n, C]; labels: u32 [n], each
 * < C (else the loss is NaN); loss: f32 [], or [n] with reduction `none`. Only the logits get a gradient. As in PyTorch, the mean
 * is NaN if every row is ignored or weighs 0.
 *
 * @throws TypeError if the shapes do not fit each other
 */
export function crossEntropy(logits: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): Tensor {
  return compute(logits, labels, options, false).loss;
}

/**
 * @internal
 * Computes the cross-entropy and the accuracy of the first rows of logits, as many as there are labels: all that training wants to know
 * of source images in one dispatch. The other rows get the gradient 0. logits: f32 [n or more, C]; labels: u32 [n]; classLoss: f32 [];
 * classAccuracy: f32 [], in percent as that of `accuracy()`, without a gradient.
 */
export function labelledLoss(
  logits: Tensor,
  labels: Tensor,
  options: CrossEntropyOptions & { reduction?: 'mean' | 'sum' } = {},
): { classLoss: Tensor; classAccuracy: Tensor } {
  const { loss: classLoss, written } = compute(logits, labels, options, true);
  const classAccuracy = written.view([], ACCURACY_AT);
  written.dispose();
  return { classLoss, classAccuracy };
}

/** Returns the loss, and the tensor that the kernel wrote: the loss, with the accuracy {@link ACCURACY_AT} if `labelled`. */
function compute(logits: Tensor, labels: Tensor, options: CrossEntropyOptions, labelled: boolean) {
  const [all, cols] = expectMatrix('crossEntropy', 'logits', logits);
  const { gpu } = logits;
  checkOptions('crossEntropy', options, checks);
  const { weight, sampleWeight, reduction = 'mean', ignoreIndex, labelSmoothing = 0, weightless } = options;
  const rows = labelled ? Math.min(all, labels.size) : all;
  expectShape('crossEntropy', 'labels', labels, [rows], 'u32');
  if (weight) expectShape('crossEntropy', 'weight', weight, [cols]);
  if (sampleWeight) expectShape('crossEntropy', 'sampleWeight', sampleWeight, [rows]);

  const each = reduction === 'none';
  const { constants: lanes, rowsAtOnce } = splitRows(gpu, cols);
  const constants = { SMOOTH: Number(labelSmoothing > 0), ACCURACY: Number(labelled) };
  const blocks = Math.ceil(rows / rowsAtOnce);
  const groups = !each && blocks <= BLOCKS_ALONE ? 1 : Math.min(blocks, MOST_GROUPS);
  const shared = { logits, labels, weight: weight ?? logits, sampleWeight: sampleWeight ?? logits };
  const isEarly = groups === 1 && !each && suitsEarlyGradient(logits);
  const params = {
    rows,
    cols,
    weighted: Number(!!weight),
    sampleWeighted: Number(!!sampleWeight),
    each: Number(each),
    mean: Number(reduction === 'mean'),
    weightless: Number(weightless === 0),
    ignores: Number(ignoreIndex !== undefined),
    ignored: (ignoreIndex ?? 0) >>> 0,
    smoothing: labelSmoothing,
    groups,
    elements: isEarly ? logits.size : 0,
  };
  const shape = labelled ? [ACCURACY_AT / 4 + 1] : each ? [rows] : [];
  const written = empty(gpu, shape, 'f32', 'crossEntropy');
  const loss = labelled ? written.view([]) : written;
  const rowStats = empty(gpu, [rows, 2], 'f32', 'rowStats');
  const totals = empty(gpu, [groups, 4], 'f32', 'totals');
  const early = empty(gpu, isEarly ? logits.shape : [1], 'f32', 'dlogits');
  const outputs = { loss: written, rowStats, totals, dlogits: early };
  kernel.forward({ ...shared, ...outputs }, params, [groups], { constants: { ...lanes, ...constants } });
  if (groups > 1 && !each) kernel.total({ loss: written, totals }, params, 1, { constants });
  record('crossEntropy', [logits], loss, [rowStats, totals, early], (dloss, gradient) => {
    if (isEarly && isOne(dloss)) return [early];
    const dlogits = gradient.into(0);
    const bindings = { ...shared, rowStatsIn: rowStats, totalsIn: totals, dloss, dlogits };
    const { size } = logits;
    kernel.backward(bindings, { ...params, elements: size }, Math.ceil(size / 64), { constants });
    return [dlogits];
  });
  return { loss, written };
}
