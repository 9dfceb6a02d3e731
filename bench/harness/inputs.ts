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

/**
 * Random numbers in [-1, 1) for n images, of which only three differ: image i is image i % 3. So double precision computes three images
 * instead of n, and an index that is wrong by a power of two still finds another image.
 */
export function repeating([n, ...rest]: Shape, { seed = 1 } = {}): Input<Float32Array> {
  const { data } = uniform([Math.min(n!, DISTINCT), ...rest], { seed });
  return { shape: [n!, ...rest], data: repeat(data, n! * sizeOf(rest)) };
}

/** How many images of {@link repeating} differ. */
export const DISTINCT = 3;

/** Repeats the elements up to a length. */
export function repeat<Data extends Float32Array | Float64Array>(data: Data, length: number): Data {
  const whole = new (data.constructor as new (length: number) => Data)(length);
  for (let at = 0; at < length; at += data.length) whole.set(data.subarray(0, length - at), at);
  return whole;
}

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
