import { matmul, sizeOf } from '../../reference/index.ts';
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
  const eighths = (...shape: number[]) => ({
    shape,
    data: Float64Array.from({ length: sizeOf(shape) }, () => (random.integer(17) - 8) / 8),
  });
  const u = eighths(m, RANK);
  const v = eighths(RANK, k);
  return {
    shape: [m, k],
    data: Float32Array.from(matmul(u, v).data),
    times: (b) => matmul(u, matmul(v, { shape: [k, b.length / k], data: b })).data,
  };
}
