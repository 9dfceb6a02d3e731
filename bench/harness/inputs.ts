import { Random } from '../../src/random.ts';
import { type Shape, sizeOf } from '../../src/shape.ts';

/** Numbers in the memory of the host, to be put on the GPU. */
export interface Input<Data extends Float32Array | Uint32Array = Float32Array | Uint32Array> {
  shape: Shape;
  data: Data;
  /** Whether its gradient is computed: then what is measured is `backward`. */
  wanted?: boolean;
}

/** Numbers spread evenly over [-scale, scale), the same every time. */
export function uniform(shape: Shape, { seed = 1, scale = 1 } = {}): Input<Float32Array> {
  const random = new Random(seed);
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => (2 * random.uniform() - 1) * scale) };
}

/** Whole numbers below `n`, the same every time. */
export function integers(shape: Shape, n: number, seed = 1): Input<Uint32Array> {
  const random = new Random(seed);
  return { shape, data: Uint32Array.from({ length: sizeOf(shape) }, () => random.integer(n)) };
}

/** Of an input, that its gradient is wanted. */
export const wanted = <Data extends Float32Array | Uint32Array>(input: Input<Data>): Input<Data> => ({
  ...input,
  wanted: true,
});
