// Inputs of the benches: made on the host from a seed, so that every run and every library computes on the same numbers.
import { matmul, sizeOf, softmax } from '../../reference/index.ts';
import { Random } from '../../src/random.ts';
import type { Shape } from '../../src/shape.ts';

export interface Input<Data extends Float32Array | Uint32Array = Float32Array | Uint32Array> {
  shape: Shape;
  data: Data;
  /** Whether its gradient is computed; if any is, `backward` is measured. */
  wanted?: boolean;
}

/** Random numbers in [-scale, scale). */
export function uniform(shape: Shape, { seed = 1, scale = 1 } = {}): Input<Float32Array> {
  const random = new Random(seed);
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => (2 * random.uniform() - 1) * scale) };
}

/** Random rows of probabilities. */
export function probabilities(shape: Shape): Input<Float32Array> {
  return { shape, data: Float32Array.from(softmax(uniform(shape, { scale: 4 })).data) };
}

/** Random whole numbers below `n`. */
export function integers(shape: Shape, n: number, seed = 1): Input<Uint32Array> {
  const random = new Random(seed);
  return { shape, data: Uint32Array.from({ length: sizeOf(shape) }, () => random.integer(n)) };
}

/** Marks an input whose gradient is computed. */
export const wanted = <T extends Input>(input: T): T => ({ ...input, wanted: true });

const RANK = 4;

/** A matrix [m, k] of rank 4, whose product with another matrix takes little time in double precision. */
export interface Factored extends Input<Float32Array> {
  /** Returns this matrix times b: [k, n], in double precision. */
  times(b: ArrayLike<number>): Float64Array;
}

/**
 * Returns a = u v with u: [m, 4] and v: [4, k] of multiples of 1/8 in [-1, 1]. Their products and sums are exact in single
 * precision, so a b = u (v b) is the true product in double precision after 4 n (m + k) multiply-adds instead of m n k.
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
