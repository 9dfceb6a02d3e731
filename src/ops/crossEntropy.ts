import source from '../../shaders/crossEntropy.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import rowSource from '../../shaders/softmax.row.wgsl';
import { record } from '../autograd.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { checkReduction, expectMatrix, splitRows } from '../rows.ts';
import { empty, expectDtype, expectShape, type Tensor } from '../tensor.ts';

const kernel = /* @__PURE__ */ defineKernel(
  'crossEntropy',
  [rowsSource, rowSource, source],
  ['forward', 'total', 'backward'],
);

// Blocks of 64 / LANES rows that one workgroup does alone, before it pays to add up those of several.
const BLOCKS_ALONE = 4;
const MOST_GROUPS = 256;

export interface CrossEntropyOptions {
  /** f32 [C]: how much each class counts. */
  weight?: Tensor;
  /** f32 [n]: how much each row counts. The mean divides by n then. */
  sampleWeight?: Tensor;
  /** `mean` divides by the sum of the classes' weights over the labels, or by n with `sampleWeight` (default). */
  reduction?: 'mean' | 'sum' | 'none';
  /** @internal The mean loss if every label weighs 0 (less than 2^-126): 0 with zero gradient. Default: NaN. */
  weightless?: 0;
}

/**
 * Cross-entropy of rows of logits with labels (`torch.nn.functional.cross_entropy`).
 * logits: f32 [n, C]; labels: u32 [n], each < C (else NaN); loss: f32 [], or [n] with reduction `none`. Where every label
 * weighs zero the mean is NaN, as in PyTorch. Gradient for the logits alone.
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  { weight, sampleWeight, reduction = 'mean', weightless }: CrossEntropyOptions = {},
): Tensor {
  const { gpu } = logits;
  const [rows, cols] = expectMatrix('crossEntropy', 'logits', logits);
  checkReduction('crossEntropy', reduction);
  expectDtype('crossEntropy', 'labels', labels, 'u32');
  expectShape('crossEntropy', 'labels', labels, [rows]);
  if (weight) expectShape('crossEntropy', 'weight', weight, [cols]);
  if (sampleWeight) expectShape('crossEntropy', 'sampleWeight', sampleWeight, [rows]);

  const each = reduction === 'none';
  const { constants, rowsAtOnce } = splitRows(gpu, cols);
  const blocks = Math.ceil(rows / rowsAtOnce);
  const groups = !each && blocks <= BLOCKS_ALONE ? 1 : Math.min(blocks, MOST_GROUPS);
  const shared = { logits, labels, weight: weight ?? logits, sampleWeight: sampleWeight ?? logits };
  const params = {
    rows,
    cols,
    weighted: Number(!!weight),
    sampleWeighted: Number(!!sampleWeight),
    each: Number(each),
    mean: Number(reduction === 'mean'),
    weightless: Number(weightless === 0),
    groups,
  };
  const loss = empty(gpu, each ? [rows] : [], 'f32', 'crossEntropy');
  const rowStats = empty(gpu, [rows, 2], 'f32', 'rowStats');
  const totals = empty(gpu, [groups, 2], 'f32', 'totals');
  kernel.forward({ ...shared, loss, rowStats, totals }, params, [groups], constants);
  if (groups > 1 && !each) kernel.total({ loss, totals }, params, 1);
  return record('crossEntropy', [logits], loss, [rowStats, totals], (dloss, gradient) => {
    const dlogits = gradient.into(0);
    const bindings = { ...shared, rowStatsIn: rowStats, totalsIn: totals, dloss, dlogits };
    kernel.backward(bindings, params, Math.ceil(logits.size / 64));
    return [dlogits];
  });
}
