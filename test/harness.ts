// Every test file shares these: a GPU opened as a profile says, a test that fails on leaks and GPU errors, seeded numbers and
// comparisons.

import { test } from 'uvu';
import { mismatch, type Tolerance } from '../reference/index.ts';
import { backward, zeroGrad } from '../src/autograd.ts';
import type { GpuOptions } from '../src/gemm/createGpu.ts';
import { createGpu } from '../src/gemm/createGpu.ts';
import { SUBGROUP_MATRICES } from '../src/gemm/requestedKernels.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { Random } from '../src/random.ts';
import { type Shape, sizeOf } from '../src/shape.ts';
import { tensor } from '../src/tensor.ts';
import { disorder, ORDERS } from './disorder.ts';
import { env } from './files.ts';

interface Profile extends GpuOptions {
  /** Runs the workgroups and invocations of every kernel in two other orders (test/disorder.ts). */
  disordered?: boolean;
}

// Ways to open the GPU; tools/test/plan.mjs says which test files run under which. Each forces what its name says. `gemm-workgroup` opens the adapter as a real GPU, so every op takes its GPU kernels.
// `gemm-subgroup` and `gemm-plain` open it as a CPU.
const PROFILES: Record<string, Profile> = {
  adapter: {},
  'default-limits': { limits: 'default' },
  'no-subgroups': { subgroups: false },
  'gemm-subgroup': { kind: 'cpu', gemm: 'subgroup' },
  'gemm-workgroup': { kind: 'gpu', gemm: 'workgroup' },
  'gemm-plain': { kind: 'cpu', gemm: 'plain' },
  'subgroup-matrices': { features: [SUBGROUP_MATRICES] },
  disordered: { limits: 'default', disordered: true },
  'no-subgroups-disordered': { subgroups: false, disordered: true },
  'gemm-workgroup-disordered': { kind: 'gpu', gemm: 'workgroup', disordered: true },
};

function profile(): Profile {
  const name = env('PADAGRAD_TEST_PROFILE') ?? 'adapter';
  const found = PROFILES[name];
  if (!found) throw new Error(`PADAGRAD_TEST_PROFILE is ${name}; use one of ${Object.keys(PROFILES).join(', ')}`);
  return found;
}

let opened: Promise<Gpu> | undefined;
let setOrder: ReturnType<typeof disorder> | undefined;

/** The Gpu that all tests of a file share. The environment variable PADAGRAD_TEST_PROFILE names its profile. */
export function testGpu(): Promise<Gpu> {
  opened ??= open(profile());
  return opened;
}

/** Does some work again in the adapter's own order, in new buffers; nothing under a profile without other orders. */
export async function inOwnOrder<T>(gpu: Gpu, work: () => Promise<T>): Promise<T | undefined> {
  if (!setOrder) return undefined;
  await gpu.idle();
  gpu.pool.trim();
  const order = setOrder(undefined);
  try {
    return await work();
  } finally {
    setOrder(order);
  }
}

/** Opens a Gpu and calls backward once: backward keeps one buffer per Gpu, which the first test would report as a leak. */
async function open({ disordered, ...options }: Profile): Promise<Gpu> {
  const gpu = await createGpu({ ...options, validate: true });
  if (disordered) setOrder = disorder(gpu.native);
  const leaf = tensor(gpu, 1);
  leaf.requiresGrad = true;
  backward(leaf);
  zeroGrad([leaf]);
  leaf.dispose();
  return gpu;
}

/** Adds a test that also fails on a GPU error or a leaked buffer. Under a profile with other orders it runs once per order. */
export function gpuTest(name: string, body: (gpu: Gpu) => Promise<void> | void): void {
  test(name, async () => {
    const gpu = await testGpu();
    for (const order of setOrder ? ORDERS : [undefined]) {
      setOrder?.(order);
      const before = gpu.memory().buffers;
      await body(gpu);
      await gpu.idle();
      const leaked = gpu.memory().buffers - before;
      if (leaked !== 0) throw new Error(`${name}: ${leaked} buffers leaked; dispose every tensor`);
    }
  });
}

/** Runs the tests of a file. Call it on the last line. */
export function run(): void {
  test.after(async () => {
    (await opened)?.dispose();
  });
  test.run();
}

/** Returns a function that draws the numbers of a seed, uniform over [0, 1). */
export function seeded(seed: number): () => number {
  const random = new Random(seed);
  return () => random.uniform();
}

/** Numbers uniform over [-scale, scale). */
export const uniform = (shape: Shape, random: () => number, scale = 1): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, () => (2 * random() - 1) * scale);

/** Whole numbers uniform over 0 to n - 1. */
export const integers = (length: number, n: number, random: () => number): Uint32Array =>
  Uint32Array.from({ length }, () => Math.floor(n * random()));

/** Throws unless |a - b| <= atol + rtol |b| for every element; by default both must be equal. */
export function assertClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol = 0, atol = 0 }: Partial<Tolerance> = {},
): void {
  const wrong = mismatch(actual, expected, { rtol, atol });
  if (wrong) throw new Error(`${what}: ${wrong}`);
}

/** Throws unless both arrays hold the same bits. */
export function assertSameBits(what: string, actual: Float32Array, expected: Float32Array): void {
  const [a, b] = [actual, expected].map(
    ({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length),
  );
  const at = b!.findIndex((bits, i) => bits !== a![i]);
  if (at >= 0 || a!.length !== b!.length)
    throw new Error(`${what}: element ${at} is ${actual[at]}, expected the same bits as ${expected[at]}`);
}
