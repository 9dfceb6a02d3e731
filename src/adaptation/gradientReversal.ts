import { CountedScalar, type Counter } from '../gpu/scalar.ts';
import { gradientReversal } from '../ops/gradientReversal.ts';
import type { Tensor } from '../tensor.ts';

export interface WarmStartOptions {
  /** Steepness of the rise. */
  alpha?: number;
  /** Coefficient at iteration 0. */
  lo?: number;
  /** Coefficient it rises towards. */
  hi?: number;
  /** Scale of the iterations: at `maxIters` the coefficient is that of x = alpha. */
  maxIters?: number;
  /** Whether each forward counts as an iteration (TLlib's `auto_step`), in a captured step each run; without it `step()` does. */
  autoStep?: boolean;
}

/**
 * Gradient reversal whose coefficient warms up (TLlib `WarmStartGradientReverseLayer`, Ganin & Lempitsky 2015): forward is
 * the identity, backward multiplies by minus
 *
 *   coefficient(i) = 2 (hi - lo) / (1 + exp(-alpha i / maxIters)) - (hi - lo) + lo,
 *
 * which is `lo` at i = 0. The coefficient is a {@link Scalar}, so captured steps follow it. Backward reverses by the coefficient of
 * its own forward, whatever was counted in between.
 */
export class WarmStartGradientReverseLayer {
  readonly coefficient: Counter;

  constructor({ alpha = 1, lo = 0, hi = 1, maxIters = 1000, autoStep = false }: WarmStartOptions = {}) {
    if (!(maxIters > 0)) throw new RangeError(`WarmStartGradientReverseLayer: maxIters must be > 0 but is ${maxIters}`);
    const range = hi - lo;
    this.coefficient = new CountedScalar(
      (i) => (2 * range) / (1 + Math.exp((-alpha * i) / maxIters)) - range + lo,
      autoStep,
    );
  }

  /** Iterations counted so far. */
  get iterNum(): number {
    return this.coefficient.count;
  }

  set iterNum(i: number) {
    this.coefficient.count = i;
  }

  forward(x: Tensor): Tensor {
    return gradientReversal(x, this.coefficient);
  }

  /** Counts an iteration: the coefficient moves on. */
  step(): void {
    this.iterNum++;
  }
}
