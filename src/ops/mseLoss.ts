import { checkOptions, type OptionChecks } from '../checks/options.ts';
import type { Tensor } from '../tensor.ts';
import { mean } from './mean.ts';
import { mul } from './mul.ts';
import { expectDtype, expectShape } from './shared/expect.ts';
import { type Reduction, reductions } from './shared/reduction.ts';
import { sub } from './sub.ts';
import { sum } from './sum.ts';

export interface MseLossOptions {
  /** How the squared errors are reduced. Default: `mean`. */
  reduction?: Reduction;
}

const checks: OptionChecks<MseLossOptions> = { reduction: reductions };

/**
 * Computes the squared error (x - target)^2 (`torch.nn.functional.mse_loss`). x, target: f32 of one shape, which is not broadcast; loss:
 * f32 [], or x's shape with reduction `none`. Both get gradients.
 *
 * @throws TypeError if the shapes differ
 */
export function mseLoss(x: Tensor, target: Tensor, options: MseLossOptions = {}): Tensor {
  expectDtype('mseLoss', 'x', x, 'f32');
  expectShape('mseLoss', 'target', target, x.shape);
  checkOptions('mseLoss', options, checks);
  const { reduction = 'mean' } = options;
  const error = sub(x, target);
  const squares = mul(error, error);
  if (reduction === 'none') return squares;
  return reduction === 'mean' ? mean(squares) : sum(squares);
}
