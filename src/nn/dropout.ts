import { checkOptions, type OptionChecks, wholeWithin, within } from '../checks/options.ts';
import { CountedScalar, Counter } from '../gpu/scalar.ts';
import { dropout } from '../ops/dropout.ts';
import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';

export interface DropoutOptions {
  /** Probability of zeroing an element, from 0 to 1. Default: 0.5. */
  p?: number;
  /**
   * Seed of the layer's random stream, a whole number below 2^32. Layers with equal seeds drop the same elements. Default: a new
   * seed for each layer that the process makes, in a fixed order, so the same program gives the same bits. To make a network
   * several times with the same stream, pass seeds such as `random.integer(2 ** 32)`.
   */
  seed?: number;
}

const checks: OptionChecks<DropoutOptions> = {
  p: /* @__PURE__ */ within(0, 1),
  seed: /* @__PURE__ */ wholeWithin(0, 2 ** 32 - 1),
};

let seedless = 0;

/** Returns multiples of 2^32 / golden ratio: far apart, and unlike the small seeds that people choose. */
const nextSeed = (): number => Math.imul(++seedless, 0x9e3779b9) >>> 0;

/**
 * Zeroes elements at random in training mode and scales the others by 1 / (1 - p) (`torch.nn.Dropout`). In eval mode y is x. x, y:
 * f32 of any shape. Each forward, and each run of a captured step, drops other elements.
 *
 * `stateDict({ all: true })` holds the seed and the number of draws, so a layer that loads it continues the random stream.
 */
export class Dropout extends Module {
  private readonly p: number;
  private readonly seed: CountedScalar;
  private readonly counter: Counter;

  constructor(options: DropoutOptions = {}) {
    super();
    checkOptions('Dropout', options, checks);
    const { p = 0.5, seed = nextSeed() } = options;
    this.p = p;
    this.seed = this.registerBuffer('seed', new CountedScalar((n) => n, false), { persistent: false, optional: true });
    this.seed.count = seed;
    this.counter = this.registerBuffer('counter', new Counter(0), { persistent: false });
  }

  forward(x: Tensor): Tensor {
    const { p, seed, counter, training } = this;
    return dropout(x, { p, training, seed, counter });
  }
}
