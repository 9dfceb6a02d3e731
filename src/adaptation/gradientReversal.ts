import { above, anyNumber, checkOptions, flag, type OptionChecks } from '../checks/options.ts';
import { CountedScalar, type Counter } from '../gpu/scalar.ts';
import { gradientReversal } from '../ops/gradientReversal.ts';
import type { Tensor } from '../tensor.ts';

export interface WarmStartOptions {
  /** Steepness of the warm-up. Default: 1. */
  alpha?: number;
  /** Coefficient at iteration 0. Default: 0. */
  lo?: number;
  /** Limit of the coefficient. Default: 1. */
  hi?: number;
  /** Time scale of the warm-up. With alpha 1, the coefficient is 46 % of the way to `hi` after `maxIters` iterations. Default: 1000. */
  maxIters?: number;
  /**
   * Whether each forward counts as an iteration, also in each run of a captured step (TLlib's `auto_step`). Otherwise call
   * `step()`. Default: false.
   */
  autoStep?: boolean;
}

const checks: OptionChecks<WarmStartOptions> = {
  alpha: anyNumber,
  lo: anyNumber,
  hi: anyNumber,
  maxIters: /* @__PURE__ */ above(0),
  autoStep: flag,
};

/**
 * Gradient reversal with a warm-up (TLlib `WarmStartGradientReverseLayer`, Ganin & Lempitsky 2015). Forward is the identity.
 * Backward multiplies by minus
 *
 *   coefficient(i) = 2 (hi - lo) / (1 + exp(-alpha i / maxIters)) - (hi - lo) + lo,
 *
 * which is `lo` at i = 0. The coefficient is a {@link Scalar}, so captured steps use its current value. Backward uses the
 * coefficient of its own forward, also if iterations were counted in between.
 */
export class WarmStartGradientReverseLayer {
  readonly coefficient: Counter;

  constructor(options: WarmStartOptions = {}) {
    checkOptions('WarmStartGradientReverseLayer', options, checks);
    const { alpha = 1, lo = 0, hi = 1, maxIters = 1000, autoStep = false } = options;
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

  /** Counts an iteration. */
  step(): void {
    this.iterNum++;
  }
}
