import source from '../../shaders/complementEntropy.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { record } from '../autograd.ts';
import { noOptions } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { expectMatrix, expectShape } from './shared/expect.ts';
import { splitRows } from './shared/split.ts';

const kernel = /* @__PURE__ */ defineKernel('complementEntropy', [rowsSource, source], ['forward', 'backward']);

/**
 * Computes how unevenly each row's probability is spread over the classes that are not its label (complement entropy, Chen et al.
 * 2019, as BA3US has it): sum q log q / log(C - 1) with q = p / (1 - p_label), from -1 for an even spread to 0 for a single class.
 *
 * p: f32 [n, C], probabilities, C >= 3; labels: u32 [n], each < C (else NaN). Returns `loss`, f32 [n], and `rest`, f32 [n]: 1 - p_label,
 * without a gradient.
 *
 * @throws RangeError for fewer than three classes
 */
export const complementEntropy: (p: Tensor, labels: Tensor) => { loss: Tensor; rest: Tensor } = (
  p,
  labels,
  options?: unknown,
) => {
  noOptions('complementEntropy', options);
  const [rows, cols] = expectMatrix('complementEntropy', 'p', p);
  expectShape('complementEntropy', 'labels', labels, [rows], 'u32');
  if (cols < 3)
    throw new RangeError(
      `complementEntropy: p has ${cols} classes, but at least 3 are needed to spread probability over those other than the label`,
    );
  const { constants, rowsAtOnce } = splitRows(p.gpu, cols);
  const groups = Math.ceil(rows / rowsAtOnce);
  const y = empty(p.gpu, [rows], 'f32', 'complementEntropy');
  const rest = empty(p.gpu, [rows], 'f32', 'rest');
  kernel.forward({ p, labels, y, rest }, { rows, cols }, groups, { constants });
  const loss = record('complementEntropy', [p], y, [p], (dy, gradient) => {
    const dp = gradient.into(0);
    kernel.backward({ p, labels, dy, dp }, { rows, cols }, groups, { constants });
    return [dp];
  });
  return { loss, rest };
};
