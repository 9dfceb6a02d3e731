// Tests a requested GEMM kernel on the device before it is used: few devices have run these kernels, and compilers for subgroup
// matrices and f16 are new. It can be deleted when the kernels are known to be right everywhere.
import epilogue from '../../shaders/matmul.epilogue.wgsl';
import operands from '../../shaders/matmul.wgsl';
import { GpuError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { Random } from '../random.ts';
import { empty, type Tensor, tensor } from '../tensor.ts';
import { defineGemm } from './defineGemm.ts';
import { type GemmSettings, gemmSettings, type RequestedKernel, traitsOf } from './settings.ts';
import { hasRegisters } from './variants.ts';

const gemm = /* @__PURE__ */ defineGemm('selfTest', operands, epilogue);

/** The bounds of a precision: the error relative to sum_k |a b|, and the largest finite operand. */
interface Limits {
  error: number;
  largest: number;
}

/** @internal Operands are rounded to 11 bits, in the worst case by truncation. */
export const HALF: Limits = { error: 2 ** -9, largest: 65504 };
/** @internal The roundings of a sum of 130 products. */
export const SINGLE: Limits = { error: 2 ** -20, largest: 3.4028234663852886e38 };

interface Multiplication {
  name: string;
  sizes: readonly [m: number, n: number, k: number];
  a: (row: number, k: number) => number;
  b: (k: number, col: number) => number;
  /** Allowed error of an element, relative to sum_k |a b|. */
  tolerance: number;
  /** Whether to use the kernel for large results. The table does not choose it for these sizes. */
  isLarge?: boolean;
}

/**
 * Multiplies matrices with known results by a GEMM kernel. Returns what is wrong, or null.
 *
 * Small integers must come out exactly, in every corner of a tile and with k split. Fractions may lose what the kernel's precision
 * loses. NaN, infinity and values outside its range must show in the result.
 */
export async function findFault(gpu: Gpu, kernel: RequestedKernel, limits: Limits): Promise<string | null> {
  const random = new Random(1);
  const small = () => random.integer(17) - 8;
  const fraction = () => 2 * random.uniform() - 1;
  const exact = { a: small, b: small, tolerance: 0 };
  const rows = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e6, -1e6, 2 ** -14];
  const multiplications: Multiplication[] = [
    { name: 'integers', sizes: [70, 45, 83], ...exact },
    { name: 'integers with k split', sizes: [40, 5, 1030], ...exact },
    { name: 'fractions', sizes: [65, 67, 130], a: fraction, b: fraction, tolerance: limits.error },
    {
      name: 'extremes',
      sizes: [66, 5, 18],
      a: (r, k) => (k === 3 ? rows[r % rows.length]! : 0),
      b: () => 1,
      tolerance: 0,
    },
  ];
  if (kernel.family === 'half' && hasRegisters(traitsOf(gpu)))
    for (const one of multiplications.slice(0, 3))
      multiplications.push({ ...one, name: `${one.name} in large tiles`, isLarge: true });
  try {
    for (const multiplication of multiplications) {
      const fault = await faultOf(gpu, kernel, multiplication, limits.largest);
      if (fault) return fault;
    }
    return null;
  } catch (error) {
    // A kernel that does not compile is a fault like others: the next one may work.
    if (error instanceof GpuError && (error.code === 'KERNEL' || error.code === 'GPU_VALIDATION')) return error.message;
    throw error;
  }
}

async function faultOf(
  gpu: Gpu,
  kernel: RequestedKernel,
  { name, sizes, a, b, tolerance, isLarge }: Multiplication,
  largest: number,
): Promise<string | null> {
  const [m, n, k] = sizes;
  const left = Float32Array.from({ length: m * k }, (_, i) => a(Math.floor(i / k), i % k));
  const right = Float32Array.from({ length: k * n }, (_, i) => b(Math.floor(i / n), i % n));
  const [x, w] = [tensor(gpu, left, [m, k]), tensor(gpu, right, [k, n])];
  const y = empty(gpu, [m, n]);
  try {
    multiplyBy(kernel, isLarge ? toLarge : undefined, x, w, y);
    const found = await y.read();
    for (const [i, value] of found.entries()) {
      let [expected, allowed] = [0, 0];
      for (let j = 0; j < k; j++) {
        const term = left[Math.floor(i / n) * k + j]! * right[j * n + (i % n)]!;
        expected += term;
        allowed += tolerance * Math.abs(term);
      }
      if (Math.abs(expected) > largest) expected *= Number.POSITIVE_INFINITY;
      if (!Object.is(value, expected) && !(Math.abs(value - expected) <= allowed))
        return `the test with ${name} gives ${value} but expects ${expected}`;
    }
    return null;
  } finally {
    for (const one of [x, w, y]) one.dispose();
  }
}

const toLarge: GemmSettings['replace'] = (_, usual) => ({ ...usual, tileRows: 64, tileColumns: 64, block: 8 });

/** Records y = x w by one kernel. Nothing else is recorded meanwhile, so the settings affect no other multiplication. */
function multiplyBy(
  half: GemmSettings['half'],
  replace: GemmSettings['replace'],
  x: Tensor,
  w: Tensor,
  y: Tensor,
): void {
  const settings = gemmSettings.of(x.gpu);
  const before = { half: settings.half, replace: settings.replace };
  Object.assign(settings, { half, replace });
  try {
    const [m, k, n] = [...x.shape, w.shape[1]] as [number, number, number];
    gemm({ bindings: { a: x, b: w, mask: x } }, { bindings: { y } }, { m, n, k });
  } finally {
    Object.assign(settings, before);
  }
}
