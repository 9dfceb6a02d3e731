import { Scalar } from '../gpu/scalar.ts';
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
  /** Whether each forward counts as an iteration (as TLlib's `auto_step`). Leave it off in a captured step and call `step()`. */
  autoStep?: boolean;
}

/**
 * Gradient reversal whose coefficient warms up (TLlib `WarmStartGradientReverseLayer`, Ganin & Lempitsky 2015): forward is
 * the identity, backward multiplies by minus
 *
 *   coefficient(i) = 2 (hi - lo) / (1 + exp(-alpha i / maxIters)) - (hi - lo) + lo,
 *
 * which is `lo` at i = 0. The coefficient is a {@link Scalar}, so captured steps follow it.
 */
export class WarmStartGradientReverseLayer {
  readonly coefficient: Scalar;
  private readonly alpha: number;
  private readonly lo: number;
  private readonly hi: number;
  private readonly maxIters: number;
  private readonly autoStep: boolean;
  private iteration = 0;

  constructor({ alpha = 1, lo = 0, hi = 1, maxIters = 1000, autoStep = false }: WarmStartOptions = {}) {
    if (!(maxIters > 0)) throw new RangeError(`WarmStartGradientReverseLayer: maxIters must be > 0 but is ${maxIters}`);
    this.alpha = alpha;
    this.lo = lo;
    this.hi = hi;
    this.maxIters = maxIters;
    this.autoStep = autoStep;
    this.coefficient = new Scalar(this.at(0));
  }

  /** Iterations counted so far. */
  get iterNum(): number {
    return this.iteration;
  }

  set iterNum(i: number) {
    this.iteration = i;
    this.coefficient.value = this.at(i);
  }

  forward(x: Tensor): Tensor {
    // The value of now: backward must reverse by the coefficient of its own forward, whatever was counted in between.
    const y = gradientReversal(x, this.autoStep ? this.coefficient.value : this.coefficient);
    if (this.autoStep) this.step();
    return y;
  }

  /** Counts an iteration: the coefficient moves on. */
  step(): void {
    this.iterNum = this.iteration + 1;
  }

  private at(i: number): number {
    const range = this.hi - this.lo;
    return (2 * range) / (1 + Math.exp((-this.alpha * i) / this.maxIters)) - range + this.lo;
  }
}
