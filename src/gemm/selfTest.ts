import { GpuError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { matmul } from '../ops/matmul.ts';
import { Random } from '../random.ts';
import { type Tensor, tensor } from '../tensor.ts';
import { gemmSettings, type HalfFamily } from './settings.ts';

interface Product {
  name: string;
  sizes: readonly [m: number, n: number, k: number];
  a: (row: number, depth: number) => number;
  b: (depth: number, col: number) => number;
  /** How far off an element may be, as a part of sum_k |a b|. */
  tolerance: number;
}

/**
 * Multiplies matrices of known product by a family of kernels, and says what came out wrong, or null. Small whole numbers
 * come out exactly, in every corner of a tile and in slices; fractions are rounded to 11 bits at worst by cutting them off;
 * NaN, infinity and what half precision has no number for must be seen in the result.
 */
export async function faultOfProducts(gpu: Gpu, family: HalfFamily): Promise<string | null> {
  const random = new Random(1);
  const small = () => random.integer(17) - 8;
  const fraction = () => 2 * random.uniform() - 1;
  const exact = { a: small, b: small, tolerance: 0 };
  const rows = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e6, -1e6, 2 ** -14];
  const products: Product[] = [
    { name: 'whole numbers', sizes: [70, 45, 83], ...exact },
    { name: 'whole numbers in slices', sizes: [40, 5, 1030], ...exact },
    { name: 'fractions', sizes: [65, 67, 130], a: fraction, b: fraction, tolerance: 2 ** -9 },
    {
      name: 'extremes',
      sizes: [66, 5, 18],
      a: (r, k) => (k === 3 ? rows[r % rows.length]! : 0),
      b: () => 1,
      tolerance: 0,
    },
  ];
  try {
    for (const product of products) {
      const fault = await faultOf(gpu, family, product);
      if (fault) return fault;
    }
    return null;
  } catch (error) {
    // What does not compile is no reason to give up on the device.
    if (error instanceof GpuError && (error.code === 'KERNEL' || error.code === 'GPU_VALIDATION')) return error.message;
    throw error;
  }
}

async function faultOf(
  gpu: Gpu,
  family: HalfFamily,
  { name, sizes, a, b, tolerance }: Product,
): Promise<string | null> {
  const [m, n, k] = sizes;
  const left = Float32Array.from({ length: m * k }, (_, i) => a(Math.floor(i / k), i % k));
  const right = Float32Array.from({ length: k * n }, (_, i) => b(Math.floor(i / n), i % n));
  const [x, w] = [tensor(gpu, left, [m, k]), tensor(gpu, right, [k, n])];
  try {
    const y = productBy(gpu, family, x, w);
    const found = await y.read().finally(() => y.dispose());
    for (const [i, value] of found.entries()) {
      let [expected, allowed] = [0, 0];
      for (let depth = 0; depth < k; depth++) {
        const term = left[Math.floor(i / n) * k + depth]! * right[depth * n + (i % n)]!;
        expected += term;
        allowed += tolerance * Math.abs(term);
      }
      // Too large for half precision.
      if (Math.abs(expected) > 65504) expected *= Number.POSITIVE_INFINITY;
      if (!Object.is(value, expected) && !(Math.abs(value - expected) <= allowed))
        return `${name} give ${value} in place of ${expected}`;
    }
    return null;
  } finally {
    for (const one of [x, w]) one.dispose();
  }
}

/** Recorded at once, so that nobody else's product is of that family. */
function productBy(gpu: Gpu, family: HalfFamily, x: Tensor, w: Tensor): Tensor {
  const settings = gemmSettings.of(gpu);
  const before = settings.half;
  settings.half = family;
  try {
    return matmul(x, w);
  } finally {
    settings.half = before;
  }
}
