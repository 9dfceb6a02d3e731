import { Counter } from '../gpu/scalar.ts';
import { dropout } from '../ops/dropout.ts';
import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';

export interface DropoutOptions {
  /** Probability of each element to be zeroed: 0.5 by default. */
  p?: number;
  /** Seed of the layer's own random stream. */
  seed?: number;
}

/**
 * While training, zeroes elements at random and scales the others by 1/(1-p); the identity in eval mode
 * (`torch.nn.Dropout`). Each forward draws anew, in a captured step at every run.
 */
export class Dropout extends Module {
  private readonly p: number;
  private readonly seed: number;
  private readonly counter: Counter;

  constructor({ p = 0.5, seed = 0 }: DropoutOptions = {}) {
    super();
    if (!(p >= 0 && p <= 1)) throw new RangeError(`Dropout: p must be in [0, 1] but is ${p}`);
    this.p = p;
    this.seed = seed;
    this.counter = this.registerBuffer('counter', new Counter(0), { persistent: false });
  }

  forward(x: Tensor): Tensor {
    const { p, seed, counter, training } = this;
    return dropout(x, { p, training, seed, counter });
  }
}
