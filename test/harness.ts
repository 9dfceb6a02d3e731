import { test } from 'uvu';
import { backward, zeroGrad } from '../src/autograd.ts';
import type { GpuOptions } from '../src/gpu/device.ts';
import { createGpu, type Gpu } from '../src/gpu/gpu.ts';
import { type Shape, sameShape, showShape, sizeOf } from '../src/shape.ts';
import { type Tensor, tensor } from '../src/tensor.ts';
import { tidy } from '../src/tidy.ts';
import { env } from './files.ts';

const PROFILES: Record<string, GpuOptions> = {
  adapter: {},
  'default-limits': { limits: 'default' },
  'no-subgroups': { subgroups: false },
  'gemm-subgroup': { gemm: 'subgroup' },
  'gemm-workgroup': { gemm: 'workgroup' },
  'gemm-plain': { gemm: 'plain' },
};

let opened: Promise<Gpu> | undefined;

/** The Gpu that the tests of a file share, opened as PADAGRAD_TEST_PROFILE says. */
export function testGpu(): Promise<Gpu> {
  const name = env('PADAGRAD_TEST_PROFILE') ?? 'adapter';
  const profile = PROFILES[name];
  if (!profile) throw new Error(`PADAGRAD_TEST_PROFILE is ${name}; known are ${Object.keys(PROFILES)}`);
  opened ??= open({ ...profile, validate: true });
  return opened;
}

/** Backward seeds itself with a one that it makes once for each Gpu: it is no leak of the test that comes first. */
async function open(options: GpuOptions): Promise<Gpu> {
  const gpu = await createGpu(options);
  const leaf = tensor(gpu, 1);
  leaf.requiresGrad = true;
  backward(leaf);
  zeroGrad([leaf]);
  leaf.dispose();
  return gpu;
}

/** A test on the GPU: fails on a GPU error, and if it leaves more buffers in use than it found. */
export function gpuTest(name: string, body: (gpu: Gpu) => Promise<void> | void): void {
  test(name, async () => {
    const gpu = await testGpu();
    const before = gpu.memory().buffers;
    await body(gpu);
    await gpu.idle();
    const leaked = gpu.memory().buffers - before;
    if (leaked !== 0) throw new Error(`${name}: ${leaked} buffers were not given back`);
  });
}

/** Runs the tests of this file; the last line of every test file. */
export function run(): void {
  test.after(async () => {
    if (opened) (await opened).dispose();
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

/** An array in double precision, as references compute with. */
export interface Reference {
  shape: Shape;
  data: Float64Array;
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

      const leaves = inputs.map((data, i) => tensor(gpu, data, shapesOfCase[i]!, `input${i}`));
      for (const leaf of leaves) leaf.requiresGrad = true;
      const fixed = others.map((data) => tensor(gpu, data));
      const y = tidy(() => {
        const out = op(leaves, fixed);
        const upstream = tensor(gpu, dy, expected.shape);
        if (!sameShape(out.shape, expected.shape))
          throw new Error(`${name}: output is ${showShape(out.shape)}, expected ${showShape(expected.shape)}`);
        backward(out, upstream);
        return out;
      });
      assertClose(`${name} forward`, await y.read(), expected.data, { rtol, atol });

      let along = 0;
      let magnitude = 1e-6;
      for (const [i, leaf] of leaves.entries()) {
        const gradient = await leaf.grad!.read();
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
      zeroGrad(leaves);
      for (const x of [...leaves, ...fixed, y]) x.dispose();
    });
  }
}
