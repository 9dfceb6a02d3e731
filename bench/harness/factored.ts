import { Random } from '../../src/random.ts';
import type { Input } from './inputs.ts';

const RANK = 4;

/** A matrix [m, k] that is known as a product of two thin ones, so that others are multiplied by it in no time. */
export interface Factored extends Input<Float32Array> {
  /** This times b: [k, n], in double precision. */
  times(b: ArrayLike<number>): Float64Array;
}

/**
 * a = u v, u: [m, 4], v: [4, k], of multiples of 1/8 in [-1, 1]: their products and sums are exact, so a in single precision
 * is u v, and (u v) b = u (v b) is the true product in double precision of every element after 4 n (m + k) operations, where the plain
 * way takes minutes for large matrices.
 */
export function factored(m: number, k: number, seed = 1): Factored {
  const random = new Random(seed);
  const eighths = (length: number) => Float64Array.from({ length }, () => (random.integer(17) - 8) / 8);
  const u = eighths(m * RANK);
  const v = eighths(RANK * k);
  const product = (left: Float64Array, right: ArrayLike<number>, rows: number, depths: number, cols: number) => {
    const y = new Float64Array(rows * cols);
    for (let r = 0; r < rows; r++) {
      for (let d = 0; d < depths; d++) {
        const factor = left[r * depths + d]!;
        for (let c = 0; c < cols; c++) y[r * cols + c]! += factor * right[d * cols + c]!;
      }
    }
    return y;
  };
  return {
    shape: [m, k],
    data: Float32Array.from(product(u, v, m, RANK, k)),
    times: (b) => {
      const n = b.length / k;
      return product(u, product(v, b, RANK, k, n), m, RANK, n);
    },
  };
}
