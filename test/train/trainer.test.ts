import * as assert from 'uvu/assert';
import { reversalCoefficient } from '../../reference/index.ts';
import { countCalls, watchCompiling } from '../../src/debug/deviceCalls.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import type { Float32MatmulPrecision } from '../../src/gemm/precision.ts';
import { gemmSettings } from '../../src/gemm/settings.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { StateDict } from '../../src/nn/stateDict.ts';
import { METHOD_NAMES, type RunOptions } from '../../src/train/methods/named.ts';
import { assertClose, gpuTest, run } from '../harness.ts';
import { stripes, stripesTrainer } from './stripes.ts';

/** Returns the metrics and the state after some iterations, as bits. */
async function outcome(
  gpu: Gpu,
  options: Partial<RunOptions>,
  iterations: number,
  more: { detectAnomaly?: boolean } = {},
): Promise<Map<string, string>> {
  const trainer = await stripesTrainer(gpu, options, more);
  for (let i = 0; i < iterations; i++) await trainer.step();
  const rows = await trainer.metrics();
  assert.is(rows.length, iterations);
  const figures = Float64Array.from(rows.flatMap((row) => Object.values(row)));
  const { tensors } = await trainer.state();
  trainer.dispose();
  return new Map([['figures', bitsOf(figures)], ...bitsOfAll(tensors)]);
}

const bitsOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  new Uint8Array(buffer, byteOffset, byteLength).join();
const bitsOfAll = (tensors: StateDict) => [...tensors].map(([name, { data }]) => [name, bitsOf(data)] as const);

function assertSame(a: Map<string, string>, b: Map<string, string>): void {
  assert.equal([...a.keys()], [...b.keys()]);
  for (const [name, bits] of a) assert.ok(bits === b.get(name), `${name} differs`);
}

const MIXED: Partial<RunOptions> = {
  ...{ method: 'pada', batchNorm: 'separate', classWeights: 'saturating', floor: 0.1 },
  ...{ mccWeight: 0.1, alphaPowerWeight: 0.1, entropyWeight: 0.1 },
};
for (const options of [...METHOD_NAMES.map((method) => ({ method })), MIXED]) {
  const title = Object.values(options).join(' ');
  gpuTest(`${title}: captured, eager, checked and resumed steps leave the same bits`, async (gpu) => {
    // Class weights are refreshed after 10 iterations.
    const [half, n] = [8, 12];
    const captured = await outcome(gpu, options, n);
    assertSame(captured, await outcome(gpu, { ...options, eager: true }, n));
    assertSame(captured, await outcome(gpu, options, n, { detectAnomaly: true }));
    const [broken, resumed] = [await stripesTrainer(gpu, options), await stripesTrainer(gpu, options)];
    for (let i = 0; i < half; i++) await broken.step();
    resumed.restore(await broken.state());
    for (let i = half; i < n; i++) await resumed.step();
    captured.delete('figures');
    assertSame(captured, new Map(bitsOfAll((await resumed.state()).tensors)));
    for (const trainer of [broken, resumed]) trainer.dispose();
  });
}

gpuTest('equal seeds give equal bits, other seeds others', async (gpu) => {
  const first = await outcome(gpu, { seed: 3 }, 50);
  assertSame(first, await outcome(gpu, { seed: 3 }, 50));
  assert.is.not(first.get('figures'), (await outcome(gpu, { seed: 4 }, 50)).get('figures'));
});

gpuTest('a trainer resumes from its state bit for bit', async (gpu) => {
  const begin = () => stripesTrainer(gpu);
  const [whole, broken] = [await begin(), await begin()];
  for (let i = 0; i < 37; i++) await whole.step();
  for (let i = 0; i < 23; i++) await broken.step();
  const checkpoint = await broken.state();
  broken.dispose();
  const resumed = await begin();
  resumed.restore(checkpoint);
  assert.is(resumed.iteration, 23);
  for (let i = 23; i < 37; i++) await resumed.step();
  const rows = await resumed.metrics();
  assert.equal(rows, (await whole.metrics()).slice(23));
  assertSame(new Map(bitsOfAll((await whole.state()).tensors)), new Map(bitsOfAll((await resumed.state()).tensors)));
  whole.dispose();
  resumed.dispose();
});

for (const eager of [false, true]) {
  gpuTest(`the gradient reversal uses the coefficient of the iteration${eager ? ', eager' : ''}`, async (gpu) => {
    const [alpha, scale] = [3, 10];
    // One step from the same state, done as different iterations: the backbone moves by lr (coefficient adversarial - class gradient).
    const trainer = await stripesTrainer(gpu, {
      ...{ method: 'dann', reversalAlpha: alpha, reversalIterations: scale, eager },
      ...{ tradeOff: 100, momentum: 0, weightDecay: 0, lrGamma: 0 },
    });
    const begun = await trainer.state();
    const after = async (iteration: number) => {
      trainer.restore({ ...begun, iteration });
      await trainer.step();
      return (await trainer.state()).tensors.get('model.backbone.0.weight')!.data as Float32Array;
    };
    const first = await after(0);
    const along = async (iteration: number) => (await after(iteration)).map((w, k) => w - first[k]!);
    // There the coefficient is 1.
    const whole = await along(1_000_000);
    const size = whole.reduce((sum, d) => sum + d * d, 0);
    assert.ok(size > 0);
    for (const i of [1, 2, 3, 7, 20]) {
      const share = (await along(i)).reduce((sum, d, k) => sum + d * whole[k]!, 0) / size;
      assertClose(`iteration ${i}`, [share], [reversalCoefficient(i, { alpha, maxIters: scale })], {
        rtol: 1e-3,
        atol: 0,
      });
    }
    trainer.dispose();
  });
}

gpuTest('the discriminator changes features from iteration 1 on, not in iteration 0', async (gpu) => {
  const backbone = async (tradeOff: number) => {
    const trainer = await stripesTrainer(gpu, { method: 'dann', tradeOff });
    const states: string[] = [];
    for (let i = 0; i < 2; i++) {
      await trainer.step();
      const { tensors } = await trainer.state();
      states.push(bitsOf(tensors.get('model.backbone.0.weight')!.data));
    }
    trainer.dispose();
    return states;
  };
  const [without, adversarial] = [await backbone(0), await backbone(1)];
  assert.is(adversarial[0], without[0]);
  assert.is.not(adversarial[1], without[1]);
});

gpuTest('a state of another method is refused', async (gpu) => {
  const pada = await stripesTrainer(gpu);
  const dann = await stripesTrainer(gpu, { method: 'dann' });
  const checkpoint = await pada.state();
  assert.throws(() => dann.restore(checkpoint), /restore: the checkpoint is of pada, but the method is dann/);
  pada.dispose();
  dann.dispose();
});

const MOST_DISPATCHES: Partial<Record<string, number>> = { iwan: 90, ba3us: 130 };

for (const method of METHOD_NAMES) {
  gpuTest(`${method}: an iteration is one submit, one pass and at most one write, and creates nothing`, async (gpu) => {
    const trainer = await stripesTrainer(gpu, { method });
    for (let i = 0; i < 2; i++) await trainer.step();
    let stepped: Promise<boolean> | undefined;
    const { dispatches, ...calls } = countCalls(gpu.native, () => {
      stepped = trainer.step();
    });
    await stepped;
    assert.equal(calls, { submits: 1, passes: 1, writeBuffers: 1, buffers: 0, bindGroups: 0, pipelines: 0 });
    assert.ok(dispatches <= (MOST_DISPATCHES[method] ?? 60), `${dispatches} dispatches`);
    console.log(`${method}: ${dispatches} dispatches an iteration`);
    trainer.dispose();
  });
}

gpuTest('200 iterations with several epochs and class weights create no buffer', async (gpu) => {
  const trainer = await stripesTrainer(gpu);
  for (let i = 0; i < 20; i++) await trainer.step();
  await trainer.metrics();
  const made = countMade(gpu);
  const before = gpu.memory();
  for (let i = 0; i < 200; i++) await trainer.step();
  await gpu.idle();
  assert.equal(made(), { buffers: 0, bindGroups: 0, pipelines: 0 });
  assert.equal(gpu.memory(), before);
  trainer.dispose();
});

gpuTest(
  'medium precision gives nearly the same results, and back in the highest the bits are the old ones',
  async (on) => {
    if (!on.features.has('shader-f16')) return;
    const gpu = await createGpu(on.options);
    const outcomeIn = (float32MatmulPrecision: Float32MatmulPrecision) =>
      outcome(gpu, { method: 'source-only', float32MatmulPrecision }, 3);
    const single = await outcomeIn('highest');
    assert.is(gemmSettings.of(gpu).half, undefined);
    const half = await outcomeIn('medium');
    assert.is(gemmSettings.of(gpu).half?.family, 'half');
    const figures = [single, half].map(
      (one) => new Float64Array(Uint8Array.from(one.get('figures')!.split(','), Number).buffer),
    );
    assert.is.not(single.get('figures'), half.get('figures'));
    assertClose('figures', figures[1]!, figures[0]!, { rtol: 0.01, atol: 0.01 });
    assertSame(await outcomeIn('medium'), half);
    assertSame(await outcomeIn('highest'), single);
    gpu.dispose();
  },
);

gpuTest('all kernels are compiled before the first step', async ({ options }) => {
  const gpu = await createGpu(options);
  const seen = watchCompiling(gpu.native);
  const trainer = await stripesTrainer(gpu, { classWeightUpdateSteps: 2 });
  const before = seen.length;
  assert.ok(before > 40);
  // The second one takes class weights.
  for (let i = 0; i < 4; i++) await trainer.step();
  await trainer.state();
  assert.is(seen.length, before);
  const evaluator = trainer.evaluator(stripes(40, 5));
  await evaluator.prepare();
  const prepared = seen.length;
  assert.is((await evaluator.run()).count, 40);
  assert.is(seen.length, prepared);
  await trainer.evaluate(stripes(41, 5));
  // Only what lays the parameters side by side was waited for.
  const waited = seen.filter((call) => call.startsWith('createComputePipeline '));
  assert.equal(waited, ['createComputePipeline autograd.copy']);
  evaluator.dispose();
  trainer.dispose();
  gpu.dispose();
});

/** Counts the objects that the device creates from now on. */
function countMade(gpu: Gpu): () => Record<'buffers' | 'bindGroups' | 'pipelines', number> {
  const counts = { buffers: 0, bindGroups: 0, pipelines: 0 };
  const names = { createBuffer: 'buffers', createBindGroup: 'bindGroups', createComputePipeline: 'pipelines' } as const;
  for (const [method, kind] of Object.entries(names)) {
    const original = Reflect.get(gpu.native, method) as (...args: unknown[]) => unknown;
    Object.defineProperty(gpu.native, method, {
      configurable: true,
      value: (...args: unknown[]) => {
        counts[kind]++;
        return original.apply(gpu.native, args);
      },
    });
  }
  return () => {
    for (const method of Object.keys(names)) Reflect.deleteProperty(gpu.native, method);
    return counts;
  };
}

run();
