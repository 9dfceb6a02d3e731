// Dropout without a mask in memory. Whether an element is dropped is a hash of its index, the seed and the number of the draw,
// so backward computes it again. Only the number of the draw is kept.
import source from '../../shaders/dropout.wgsl';
import randomSource from '../../shaders/random.wgsl';
import { record } from '../autograd.ts';
import { checkOptions, flag, type OptionChecks, wholeWithin, within } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { type Counter, orScalar, type Scalar } from '../gpu/scalar.ts';
import { empty, type Tensor } from '../tensor.ts';
import { reshape } from './reshape.ts';
import { refuseTraining } from './shared/evaluation.ts';
import { aCounter, expectDtype } from './shared/expect.ts';

const kernel = /* @__PURE__ */ defineKernel('dropout', [randomSource, source], ['forward', 'backward']);

export interface DropoutOpOptions {
  /** Probability of zeroing an element, from 0 to 1. */
  p: number;
  /** Whether elements are dropped at all. */
  training: boolean;
  /** Seed of the random stream, a whole number below 2^32. */
  seed: number | Scalar;
  /** Number of the draw in the random stream; advances at each use. The same seed and number zero the same elements. */
  counter: Counter;
}

const checks: OptionChecks<DropoutOpOptions> = {
  p: /* @__PURE__ */ within(0, 1),
  training: flag,
  seed: /* @__PURE__ */ orScalar(/* @__PURE__ */ wholeWithin(0, 2 ** 32 - 1)),
  counter: aCounter,
};

/**
 * Zeroes each element with probability p and scales the others by 1 / (1 - p) (`torch.nn.functional.dropout`). x, y: f32 of any
 * shape. Every forward, and every run of a captured step, zeroes other elements. Without `training`, y is x and shares its memory.
 */
export function dropout(x: Tensor, options: DropoutOpOptions): Tensor {
  expectDtype('dropout', 'x', x, 'f32');
  checkOptions('dropout', options, checks, ['p', 'training', 'seed', 'counter']);
  const { p, training, seed, counter } = options;
  if (training) refuseTraining('dropout');
  if (!training || p === 0) return reshape(x, x.shape);
  const { gpu, shape, size } = x;
  const params = { size, seed, p, factor: p === 1 ? 0 : 1 / (1 - p) };
  const groups = Math.ceil(size / 64);
  const y = empty(gpu, shape, 'f32', 'dropout');
  const drawn = empty(gpu, [1], 'u32', 'drawn');
  kernel.forward({ x, y, drawn }, { ...params, draw: counter }, groups);
  return record('dropout', [x], y, [drawn], (dy, gradient) => {
    const dx = gradient.into(0);
    kernel.backward({ x: dy, y: dx, drawnIn: drawn }, { ...params, draw: 0 }, groups);
    return [dx];
  });
}
