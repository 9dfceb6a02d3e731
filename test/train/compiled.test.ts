import * as assert from 'uvu/assert';
import { watchCompiling } from '../../src/debug/deviceCalls.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import type { TrainCallbacks } from '../../src/train/callbacks.ts';
import { type TrainSettings, train } from '../../src/train/loop.ts';
import type { MethodName } from '../../src/train/methods/named.ts';
import { gpuTest, run } from '../harness.ts';
import { stripes, stripesSettings, stripesTrainer } from './stripes.ts';

// All kernels of a run are compiled before its first step, side by side. Counted at the device, over a run that uses everything.

// The one that backward begins with, made once for each Gpu.
const MADE_ONCE = 1;
// Sets whose last batches are short, and of different lengths.
const SETTINGS: Partial<TrainSettings> = {
  printFreq: 1,
  evalFreq: 15,
  checkpointEvery: 20,
  targetTest: stripes(150, 5, { classes: 2 }),
  sourceTest: stripes(301, 6),
};

const WAYS: [method: MethodName, eager: boolean][] = [
  ['source-only', false],
  ['dann', false],
  ['pada', false],
  ['pada', true],
];
for (const [method, eager] of WAYS) {
  gpuTest(`${method}${eager ? ', eager' : ''}: nothing is compiled after the first step`, async ({ options }) => {
    const gpu = await createGpu(options);
    const seen = watchCompiling(gpu.native);
    const told = { classWeight: 0, evaluation: 0, checkpoint: 0 };
    let before: string[] | undefined;
    const { trainer } = await train(
      stripesSettings(
        gpu,
        { method, eager },
        {
          ...SETTINGS,
          callbacks: {
            onProgress: () => {
              before ??= [...seen];
            },
            onClassWeight: () => told.classWeight++,
            onEvaluation: () => told.evaluation++,
            onCheckpoint: () => void told.checkpoint++,
          },
        },
      ),
    );
    assert.equal(told, { classWeight: method === 'pada' ? 4 : 0, evaluation: 3, checkpoint: 2 });
    assert.ok(
      before!.some((call) => call === 'createComputePipelineAsync confusionMatrix.count'),
      before!.join('\n'),
    );
    assert.equal(seen.slice(before!.length), []);
    // Only what lays the parameters side by side was waited for.
    const waited = seen.filter((call) => call.startsWith('createComputePipeline '));
    assert.equal(waited, ['createComputePipeline autograd.copy']);
    trainer.dispose();
    gpu.dispose();
  });
}

gpuTest('kernels that are needed late count for the time to the first step', async ({ options }) => {
  const gpu = await createGpu(options);
  const create = gpu.native.createComputePipelineAsync.bind(gpu.native);
  const late: string[] = [];
  Object.defineProperty(gpu.native, 'createComputePipelineAsync', {
    value: async (of: GPUComputePipelineDescriptor) => {
      if (/^(classWeight|confusionMatrix)\./.test(of.label!)) {
        late.push(of.label!);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
      return create(of);
    },
  });
  const { targetTest } = SETTINGS;
  const { result, trainer } = await train(stripesSettings(gpu, { iterations: 1 }, { targetTest: targetTest! }));
  assert.equal(late.sort(), ['classWeight.normalise', 'confusionMatrix.count']);
  assert.ok(result.secondsToFirstStep! >= 0.24, `${result.secondsToFirstStep} s`);
  trainer.dispose();
  gpu.dispose();
});

/** Counts the dispatches whose number of workgroups comes from a buffer: they translate a kernel and compute nothing. */
function countTranslated(device: GPUDevice): () => number {
  let count = 0;
  const create = device.createCommandEncoder.bind(device);
  Object.defineProperty(device, 'createCommandEncoder', {
    value: (of: GPUCommandEncoderDescriptor) => {
      const encoder = create(of);
      const begin = encoder.beginComputePass.bind(encoder);
      encoder.beginComputePass = (descriptor) => {
        const pass = begin(descriptor);
        const dispatch = pass.dispatchWorkgroupsIndirect.bind(pass);
        pass.dispatchWorkgroupsIndirect = (...given) => {
          count++;
          dispatch(...given);
        };
        return pass;
      };
      return encoder;
    },
  });
  return () => count;
}

const asynchronous = (seen: readonly string[]) =>
  seen.filter((call) => call.startsWith('createComputePipelineAsync ')).length;

gpuTest('every kernel is counted once, before the first step, and none the second time', async ({ options }) => {
  const gpu = await createGpu(options);
  const seen = watchCompiling(gpu.native);
  const translated = countTranslated(gpu.native);
  const progress: string[] = [];
  const callbacks: TrainCallbacks = {
    onCompile: ({ compiled, total }) => progress.push(`${compiled} of ${total}`),
    onStart: () => progress.push('start'),
  };
  const trained = async () =>
    (await train(stripesSettings(gpu, { iterations: 2 }, { ...SETTINGS, callbacks }))).trainer;
  const first = await trained();
  const total = asynchronous(seen);
  assert.ok(total > 20, `${total} kernels`);
  assert.equal(progress, [...Array.from({ length: total + 1 }, (_, i) => `${i} of ${total}`), 'start']);
  assert.is(translated(), gpu.info.software ? total : 0);
  const second = await trained();
  assert.is(progress.length, total + 3);
  assert.is(asynchronous(seen), total);
  for (const trainer of [first, second]) trainer.dispose();
  gpu.dispose();
});

for (const eager of [false, true]) {
  gpuTest(
    `a signal stops a run between two kernels${eager ? ', eager' : ''}: no evaluation, and nothing is left`,
    async ({ options }) => {
      const gpu = await createGpu(options);
      const seen = watchCompiling(gpu.native);
      const stop = new AbortController();
      const told: string[] = [];
      const { result, trainer } = await train(
        stripesSettings(
          gpu,
          { eager },
          {
            ...SETTINGS,
            signal: stop.signal,
            callbacks: {
              onCompile: ({ compiled }) => compiled === 3 && stop.abort(),
              onEvaluation: () => told.push('evaluation'),
              onCheckpoint: () => void told.push('checkpoint'),
            },
          },
        ),
      );
      // Eight are begun at once.
      assert.ok(asynchronous(seen) <= 3 + 8, seen.join('\n'));
      assert.is(result.aborted, true);
      assert.is(result.iteration, 0);
      assert.is(result.secondsToFirstStep, null);
      assert.not('targetAccuracy' in result || 'sourceAccuracy' in result);
      assert.equal(told, []);
      await trainer.step();
      assert.ok(Number.isFinite((await trainer.metrics())[0]!.classLoss));
      trainer.dispose();
      await gpu.idle();
      const another = await stripesTrainer(gpu);
      another.dispose();
      assert.is(gpu.memory().buffers, MADE_ONCE);
      gpu.dispose();
    },
  );
}

run();
