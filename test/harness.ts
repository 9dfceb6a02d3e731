import { test } from 'uvu';
import { backward, zeroGrad } from '../src/autograd.ts';
import type { GpuOptions } from '../src/gemm/createGpu.ts';
import { createGpu } from '../src/gemm/createGpu.ts';
import { SUBGROUP_MATRICES } from '../src/gemm/matrixSizes.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { type Shape, sameShape, showShape, sizeOf } from '../src/shape.ts';
import { type Tensor, tensor } from '../src/tensor.ts';
import { tidy } from '../src/tidy.ts';
import { disorder, ORDERS } from './disorder.ts';
import { env } from './files.ts';

interface Profile extends GpuOptions {
  /** Whether kernels do their work in other orders than the adapter's own. */
  disordered?: boolean;
}

// Each forces what its name says. `gemm-workgroup` opens the adapter as a real GPU, so every op takes its GPU kernels.
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
  if (!found) throw new Error(`PADAGRAD_TEST_PROFILE is ${name}; known are ${Object.keys(PROFILES)}`);
  return found;
}

let opened: Promise<Gpu> | undefined;
let setOrder: ReturnType<typeof disorder> | undefined;

/** The Gpu that the tests of a file share, opened as PADAGRAD_TEST_PROFILE says. */
export function testGpu(): Promise<Gpu> {
  opened ??= open(profile());
  return opened;
}

/** Under a profile of other orders: does the same in the adapter's own order, in buffers that are new. */
async function inOwnOrder<T>(gpu: Gpu, work: () => Promise<T>): Promise<T | undefined> {
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

/** Backward seeds itself with a one that it makes once for each Gpu: it is no leak of the test that comes first. */
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

/**
 * A test on the GPU: fails on a GPU error, and if it leaves more buffers in use than it found. Under a profile of other orders
 * it runs in each of them.
 */
export function gpuTest(name: string, body: (gpu: Gpu) => Promise<void> | void): void {
  test(name, async () => {
    const gpu = await testGpu();
    for (const order of setOrder ? ORDERS : [undefined]) {
      setOrder?.(order);
      const before = gpu.memory().buffers;
      await body(gpu);
      await gpu.idle();
      const leaked = gpu.memory().buffers - before;
      if (leaked !== 0) throw new Error(`${name}: ${leaked} buffers were not given back`);
    }
  });
}

/** Runs the tests of this file; the last line of every test file. */
export function run(): void {
  test.after(async () => {
    (await opened)?.dispose();
  });
  test.run();
}

/** A reproducible stream of numbers in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Numbers spread evenly over [-scale, scale). */
export function uniform(shape: Shape, random: () => number, scale = 1): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, () => (2 * random() - 1) * scale);
}

export interface Tolerance {
  rtol: number;
  atol: number;
}

/** Worst |a-b| / (atol + rtol |b|) of two arrays; NaN equals only NaN, infinity only itself. */
export function worstError(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol, atol }: Tolerance,
): { worst: number; at: number } {
  let worst = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i]!;
    const b = expected[i]!;
    if (Object.is(a, b) || a === b) continue;
    let error = Math.abs(a - b) / (atol + rtol * Math.abs(b));
    if (!Number.isFinite(a) || !Number.isFinite(b)) error = Number.POSITIVE_INFINITY;
    if (error > worst) [worst, at] = [error, i];
  }
  return { worst, at };
}

/** Throws unless |a-b| <= atol + rtol |b| everywhere. */
export function assertClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
): void {
  if (actual.length !== expected.length)
    throw new Error(`${what}: ${actual.length} elements, expected ${expected.length}`);
  const { worst, at } = worstError(actual, expected, tolerance);
  if (worst > 1)
    throw new Error(
      `${what}: element ${at} is ${actual[at]}, expected ${expected[at]} (${worst.toPrecision(3)} of tolerance)`,
    );
}

/** Throws unless both arrays hold the same bits. */
export function assertSameBits(what: string, actual: Float32Array, expected: Float32Array): void {
  const [a, b] = [actual, expected].map(
    ({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length),
  );
  const at = b!.findIndex((bits, i) => bits !== a![i]);
  if (at >= 0 || a!.length !== b!.length)
    throw new Error(`${what}: element ${at} is ${actual[at]}, expected the very bits of ${expected[at]}`);
}

/** An array in double precision, as references compute with. */
export interface Reference {
  shape: Shape;
  data: Float64Array;
}

/** Applies `rowOf` to every row of `x` along a dimension. */
export function alongDimension(
  { shape, data }: Reference,
  dim: number,
  rowOf: (row: Float64Array) => Float64Array,
): Reference {
  const n = shape.at(dim)!;
  const inner = sizeOf(shape.slice((dim + shape.length) % shape.length).slice(1));
  const y = new Float64Array(data.length);
  for (let r = 0; r < data.length / n; r++) {
    const start = Math.floor(r / inner) * n * inner + (r % inner);
    const row = rowOf(Float64Array.from({ length: n }, (_, k) => data[start + k * inner]!));
    for (const [k, v] of row.entries()) y[start + k * inner] = v;
  }
  return { shape, data: y };
}

export interface CheckOpOptions extends Partial<Tolerance> {
  /** Each case: the shapes of the inputs that want gradients. */
  shapes: readonly (readonly Shape[])[];
  /** Content of an input; uniform in [-1, 1) by default. */
  fill?: (shape: Shape, random: () => number, input: number) => Float32Array;
  /** Further inputs without gradient (labels, weights), made from the shapes of a case. */
  extra?: (shapes: readonly Shape[], random: () => number) => readonly (Float32Array | Uint32Array)[];
  /** Tolerance of the gradient along a direction, relative to the sum of its terms' magnitudes. */
  gradientTolerance?: number;
  /** Step of the central difference. */
  step?: number;
}

/**
 * Checks an op against a double-precision reference: the output, then <vjp(dy), v> on the GPU against the central
 * difference of the reference along a random direction v. Each case is a test of its own; leaks and GPU errors fail.
 */
export function checkOp(
  name: string,
  op: (inputs: Tensor[], extra: Tensor[]) => Tensor,
  reference: (inputs: Reference[], extra: readonly ArrayLike<number>[]) => Reference,
  options: CheckOpOptions,
): void {
  const {
    shapes,
    fill = (shape, random) => uniform(shape, random),
    extra = () => [],
    rtol = 1e-5,
    atol = 1e-6,
    gradientTolerance = 2e-4,
    step = 1e-4,
  } = options;
  for (const [index, shapesOfCase] of shapes.entries()) {
    gpuTest(`checkOp ${name} ${shapesOfCase.map(showShape).join(' ')}`, async (gpu) => {
      const random = seeded(index + 1);
      const inputs = shapesOfCase.map((shape, i) => fill(shape, random, i));
      const others = extra(shapesOfCase, random);
      const truth = (along: readonly Float32Array[] | null, h: number) =>
        reference(
          inputs.map((data, i) => ({
            shape: shapesOfCase[i]!,
            data: Float64Array.from(data, (value, k) => value + (along ? h * along[i]![k]! : 0)),
          })),
          others,
        );
      const expected = truth(null, 0);
      const dy = uniform(expected.shape, random);
      const directions = shapesOfCase.map((shape) => uniform(shape, random));

      const computed = async (): Promise<{ y: Float32Array; gradients: Float32Array[] }> => {
        const leaves = inputs.map((data, i) => tensor(gpu, data, shapesOfCase[i]!, `input${i}`));
        for (const leaf of leaves) leaf.requiresGrad = true;
        const fixed = others.map((data) => tensor(gpu, data));
        const out = tidy(() => {
          const result = op(leaves, fixed);
          const upstream = tensor(gpu, dy, expected.shape);
          if (!sameShape(result.shape, expected.shape))
            throw new Error(`${name}: output is ${showShape(result.shape)}, expected ${showShape(expected.shape)}`);
          backward(result, upstream);
          return result;
        });
        const y = await out.read();
        const gradients = await Promise.all(leaves.map((leaf) => leaf.grad!.read()));
        zeroGrad(leaves);
        for (const x of [...leaves, ...fixed, out]) x.dispose();
        return { y, gradients };
      };
      const { y, gradients } = await computed();
      assertClose(`${name} forward`, y, expected.data, { rtol, atol });
      const own = await inOwnOrder(gpu, computed);
      if (own) {
        assertSameBits(`${name} forward in another order`, y, own.y);
        for (const [i, gradient] of gradients.entries())
          assertSameBits(`${name} gradient ${i} in another order`, gradient, own.gradients[i]!);
      }

      let along = 0;
      let magnitude = 1e-6;
      for (const [i, gradient] of gradients.entries()) {
        for (let k = 0; k < gradient.length; k++) {
          along += gradient[k]! * directions[i]![k]!;
          magnitude += Math.abs(gradient[k]! * directions[i]![k]!);
        }
      }
      const [plus, minus] = [truth(directions, step), truth(directions, -step)];
      let difference = 0;
      for (let k = 0; k < dy.length; k++) difference += ((plus.data[k]! - minus.data[k]!) / (2 * step)) * dy[k]!;
      if (!(Math.abs(along - difference) <= gradientTolerance * magnitude)) {
        throw new Error(`${name} gradient: <vjp(dy), v> is ${along}, the reference's difference ${difference}`);
      }
    });
  }
}
