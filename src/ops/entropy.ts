import source from '../../shaders/entropy.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { record } from '../autograd.ts';
import { above, checkOptions, inF32, type OptionChecks } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { mean } from './mean.ts';
import { expectMatrix } from './shared/expect.ts';
import { type Reduction, reductions } from './shared/reduction.ts';
import { splitRows } from './shared/split.ts';
import { sum } from './sum.ts';

const kernel = /* @__PURE__ */ defineKernel('entropy', [rowsSource, source], ['forward', 'backward']);

export interface EntropyOptions {
  /** How the entropies of the rows are reduced. Default: 'none'. */
  reduction?: Reduction;
  /** Added to each probability in the logarithm. Default: 1e-5. */
  eps?: number;
}

const checks: OptionChecks<EntropyOptions> = {
  reduction: reductions,
  eps: /* @__PURE__ */ inF32(/* @__PURE__ */ above(0)),
};

/**
 * Computes the entropy -sum p log(p + eps) of rows of probabilities, in nats (TLlib's `entropy`). p: f32 [n, C], for example of
 * `softmax`. Returns f32 [n], or [] with another reduction than `none`.
 */
export function entropy(p: Tensor, options: EntropyOptions = {}): Tensor {
  const [rows, cols] = expectMatrix('entropy', 'p', p);
  checkOptions('entropy', options, checks);
  const { reduction = 'none', eps = 1e-5 } = options;
  const { constants, rowsAtOnce } = splitRows(p.gpu, cols);
  const params = { rows, cols, eps };
  const y = empty(p.gpu, [rows], 'f32', 'entropy');
  kernel.forward({ p, y }, params, Math.ceil(rows / rowsAtOnce), { constants });
  record('entropy', [p], y, [p], (dy, gradient) => {
    const dp = gradient.into(0);
    kernel.backward({ p, dy, dp }, params, Math.ceil(p.size / 64));
    return [dp];
  });
  if (reduction === 'none') return y;
  return reduction === 'mean' ? mean(y) : sum(y);
}
