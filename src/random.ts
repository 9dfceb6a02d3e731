import { checkValue, wholeFrom, wholeWithin } from './checks/options.ts';
import { refuseWhileRecording } from './gpu/recording.ts';

const upTo2To32 = wholeWithin(1, 2 ** 32);

/**
 * Generates reproducible random numbers on the host (sfc32 of PractRand). It uses only integer arithmetic, so a seed gives the
 * same numbers on every machine. Kernels generate their own random numbers from a counter.
 */
export class Random {
  private readonly words: Uint32Array<ArrayBuffer>;

  /** @param seed a whole number from 0 to 2^53 - 1 */
  constructor(seed: number) {
    checkValue('Random', 'seed', seed, wholeFrom(0));
    this.words = Uint32Array.of(seed, seed / 2 ** 32, 0, 1);
    // The first numbers of seeds that differ in one bit are alike, so they are skipped.
    for (let i = 0; i < 15; i++) this.next();
  }

  /** The state for checkpoints: four 32-bit words. Setting it continues the sequence from there. */
  get state(): Uint32Array<ArrayBuffer> {
    return this.words.slice();
  }

  set state(words: Uint32Array) {
    if (words.length !== 4) throw new RangeError(`Random: a state has 4 words, but this has ${words.length}`);
    this.words.set(words);
  }

  /** Returns a whole number below 2^32, uniformly distributed. */
  next(): number {
    refuseWhileRecording('drawing a random number on the host');
    const { words } = this;
    // Destructuring the array would be several times slower, and a large network draws millions of numbers.
    const a = words[0]!;
    const b = words[1]!;
    const c = words[2]!;
    const counter = words[3]!;
    const sum = (a + b + counter) >>> 0;
    words[0] = b ^ (b >>> 9);
    words[1] = c + (c << 3);
    words[2] = ((c << 21) | (c >>> 11)) + sum;
    words[3] = counter + 1;
    return sum;
  }

  /** Returns a number in [0, 1), uniformly distributed in steps of 2^-32. */
  uniform(): number {
    return this.next() / 2 ** 32;
  }

  /** Returns a whole number below `n`, uniformly distributed. `n` is at most 2^32. */
  integer(n: number): number {
    checkValue('integer', 'n', n, upTo2To32);
    // Words past the last multiple of n would make small numbers more likely, so they are drawn again.
    const end = 2 ** 32 - (2 ** 32 % n);
    let word = this.next();
    while (word >= end) word = this.next();
    return word % n;
  }

  /** Returns the numbers 0 to n - 1 in random order (Fisher-Yates shuffle). */
  permutation(n: number): Uint32Array<ArrayBuffer> {
    checkValue('permutation', 'n', n, wholeFrom(0));
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = order[i]!;
      order[i] = order[j]!;
      order[j] = kept;
    }
    return order;
  }
}
