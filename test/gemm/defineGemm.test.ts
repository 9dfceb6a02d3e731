import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import { tuneGemm } from '../../src/gemm/tuning.ts';
import { type GemmVariant, gemmVariants, setGemmVariants } from '../../src/gemm/variants.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { linear } from '../../src/ops/linear.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, gpuTest, run, seeded, uniform } from '../harness.ts';

const VARIANTS: GemmVariant[] = [
  { family: 'workgroup', tile: 32, slices: 1 },
  { family: 'workgroup', tile: 64, slices: 3 },
  { family: 'workgroup', tile: 128, slices: 1 },
  { family: 'plain', tile: 32, slices: 3 },
  { family: 'subgroup', tile: 16, slices: 1 },
  { family: 'subgroup', tile: 32, slices: 3 },
  // More slices than there are depths for.
  { family: 'workgroup', tile: 64, slices: 9 },
  { family: 'plain', tile: 32, slices: 9 },
  { family: 'subgroup', tile: 32, slices: 9 },
];

for (const variant of VARIANTS) {
  gpuTest(`a product by ${JSON.stringify(variant)}`, async (gpu) => {
    if (variant.family === 'subgroup' && gpu.subgroupSize < 8) return;
    const [m, n, k] = [130, 133, 67];
    const random = seeded(1);
    const [left, right] = [uniform([m, k], random), uniform([k, n], random)];
    const expected = reference.matmul({ shape: [m, k], data: left }, { shape: [k, n], data: right }).data;
    const [a, b] = [tensor(gpu, left, [m, k]), tensor(gpu, right, [k, n])];
    setGemmVariants(gpu, { 'matmul 256x256x128': variant });
    const { events } = await gpu.profile(() => matmul(a, b).dispose());
    assert.is(events.length, variant.slices > 1 ? 2 : 1);
    const y = matmul(a, b);
    assertClose('y', await y.read(), expected, { rtol: 1e-5, atol: 1e-5 });
    setGemmVariants(gpu, {});
    for (const one of [a, b, y]) one.dispose();
  });
}

gpuTest('a variant that the device cannot run gives way to another', async (gpu) => {
  const x = tensor(gpu, [
    [1, 2],
    [3, 4],
  ]);
  setGemmVariants(gpu, { 'matmul 2x2x2': { family: 'workgroup', tile: 1024, slices: 1 } });
  const y = matmul(x, x);
  assert.equal([...(await y.read())], [7, 10, 15, 22]);
  setGemmVariants(gpu, {});
  for (const one of [x, y]) one.dispose();
});

/** What tuning has to choose from: products that are cut into slices or not. */
function deepProduct(gpu: Gpu) {
  const random = seeded(2);
  const x = tensor(gpu, uniform([40, 4000], random), [40, 4000]);
  const weight = tensor(gpu, uniform([36, 4000], random), [36, 4000]);
  weight.requiresGrad = true;
  const dy = tensor(gpu, uniform([40, 36], random), [40, 36]);
  const step = () => {
    tidy(() => backward(linear(x, weight), dy));
    zeroGrad([weight]);
  };
  const dispose = () => {
    setGemmVariants(gpu, {});
    for (const one of [x, weight, dy]) one.dispose();
  };
  return { x, weight, step, dispose };
}
const CLASSES = ['linear 64x64x4096', 'linear.gradient 64x4096x64'];

/** Puts another method in the place of an object's while `work` runs; it gets the own one. */
async function replaced<T>(target: object, name: string, replace: (own: never) => unknown, work: () => Promise<T>) {
  const own = (Reflect.get(target, name) as (...args: unknown[]) => unknown).bind(target);
  Object.defineProperty(target, name, { configurable: true, value: replace(own as never) });
  try {
    return await work();
  } finally {
    Reflect.deleteProperty(target, name);
  }
}

gpuTest('tuning measures forward and backward products, and its choice can be given to another run', async (gpu) => {
  const { x, weight, step, dispose } = deepProduct(gpu);
  const variants = await tuneGemm(gpu, step, { milliseconds: 2e9 });
  assert.equal(Object.keys(variants).sort(), CLASSES);
  assert.equal(gemmVariants(gpu), variants);
  const before = linear(x, weight);
  setGemmVariants(gpu, JSON.parse(JSON.stringify(variants)));
  const after = linear(x, weight);
  assert.equal(await before.read(), await after.read());
  for (const one of [before, after]) one.dispose();
  dispose();
});

gpuTest('without time tuning measures nothing, and says what the sizes suggest', async (gpu) => {
  const { x, weight, step, dispose } = deepProduct(gpu);
  const before = linear(x, weight);
  const refuse = () => () => assert.unreachable('measured');
  const tuned = await replaced(gpu, 'profile', refuse, () => tuneGemm(gpu, step, { milliseconds: 0 }));
  assert.equal(Object.keys(tuned).sort(), CLASSES);
  const after = linear(x, weight);
  assert.equal(await before.read(), await after.read());
  for (const one of [before, after]) one.dispose();
  dispose();
});

gpuTest('what is known is not measured, and stays as it is', async (gpu) => {
  const { step, dispose } = deepProduct(gpu);
  const known = Object.fromEntries(CLASSES.map((of) => [of, { family: 'plain', tile: 32, slices: 3 }] as const));
  const refuse = () => () => assert.unreachable('measured');
  assert.equal(await replaced(gpu, 'profile', refuse, () => tuneGemm(gpu, step, { known })), known);
  dispose();
});

gpuTest('where there is one variant of each class, nothing is measured', async (gpu) => {
  const x = tensor(gpu, new Float32Array(64), [8, 8]);
  const refuse = () => () => assert.unreachable('measured');
  const tuned = await replaced(gpu, 'profile', refuse, () => tuneGemm(gpu, () => matmul(x, x)));
  assert.equal(Object.keys(tuned), ['matmul 8x8x8']);
  setGemmVariants(gpu, {});
  x.dispose();
});

// How long a run of the step and a profile of it take, and how often the step is then profiled at most.
for (const [idleMs, profileMs, runs] of [
  [100, 400, 4],
  [300, 300, 3],
  [1, 1999, 1],
  [700, 0, 0],
  [5000, 0, 0],
] as const) {
  gpuTest(`tuning keeps to its time where a step takes ${idleMs} ms and a profile ${profileMs}`, async (gpu) => {
    const { step, dispose } = deepProduct(gpu);
    let clock = 1e6;
    let profiles = 0;
    const slowly = (ms: number, each: () => void) => (own: (fn?: unknown) => Promise<unknown>) => (fn?: unknown) => {
      clock += ms;
      each();
      return own(fn);
    };
    const tune = () => tuneGemm(gpu, step, { now: () => clock });
    const profiling = slowly(profileMs, () => profiles++);
    const idling = slowly(idleMs, () => {});
    await replaced(gpu, 'idle', idling, () => replaced(gpu, 'profile', profiling, tune));
    assert.ok(profiles <= runs, `${profiles} profiles, expected ${runs} at most`);
    assert.ok(clock - 1e6 <= Math.max(2000, idleMs), `${clock - 1e6} ms`);
    dispose();
  });
}

for (const [what, compile] of [
  ['takes too long to compile', () => new Promise((_, fail) => setTimeout(() => fail(new Error('late')), 400))],
  ['does not compile', () => Promise.reject(new Error('it crashed'))],
] as const) {
  gpuTest(`a variant that ${what} is not chosen`, async ({ options }) => {
    // Another Gpu: on this one it may have been compiled before. By the plain core only products that are cut have another.
    const gpu = await createGpu({ ...options, gemm: 'plain' });
    const { step, dispose } = deepProduct(gpu);
    const usual = await tuneGemm(gpu, step, { milliseconds: 0 });
    setGemmVariants(gpu, {});
    (await capture(gpu, step)).dispose();
    const tuned = await replaced(
      gpu.native,
      'createComputePipelineAsync',
      () => compile,
      () => tuneGemm(gpu, step, { milliseconds: 200 }),
    );
    assert.equal(tuned, usual);
    await new Promise((resolve) => setTimeout(resolve, 400));
    dispose();
    gpu.dispose();
  });
}

run();
