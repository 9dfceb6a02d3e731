import * as assert from 'uvu/assert';
import { createGpu } from '../../src/gpu/gpu.ts';
import type { Method, TrainingOptions } from '../../src/train/options.ts';
import { type TrainSettings, train } from '../../src/train/train.ts';
import { watchCompiling } from '../countCalls.ts';
import { gpuTest, run } from '../harness.ts';
import { stripes, stripesData } from './stripes.ts';

// All kernels of a run are compiled before its first step, side by side: counted at the device, over a run of all that there is.

const OPTIONS: Partial<TrainingOptions> = { batchSize: 8, classWeightUpdateSteps: 10, iterations: 45 };
// Sets whose last batches are short, and of different lengths.
const SETTINGS: TrainSettings = {
  printFreq: 1,
  evalFreq: 15,
  checkpointEvery: 20,
  targetTest: stripes(150, 5, { classes: 2 }),
  sourceTest: stripes(301, 6),
};

const WAYS: [method: Method, eager: boolean][] = [
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
    const { training } = await train(gpu, stripesData(), { ...OPTIONS, method, eager }, SETTINGS, {
      onProgress: () => {
        before ??= [...seen];
      },
      onClassWeight: () => told.classWeight++,
      onEvaluation: () => told.evaluation++,
      onCheckpoint: () => void told.checkpoint++,
    });
    assert.equal(told, { classWeight: method === 'pada' ? 4 : 0, evaluation: 3, checkpoint: 2 });
    assert.ok(
      before!.some((call) => call === 'createComputePipelineAsync confusionMatrix.count'),
      before!.join('\n'),
    );
    assert.equal(seen.slice(before!.length), []);
    // Only what lays the parameters side by side was waited for.
    const waited = seen.filter((call) => call.startsWith('createComputePipeline '));
    assert.equal(waited, ['createComputePipeline autograd.copy']);
    training.dispose();
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
  const { result, training } = await train(
    gpu,
    stripesData(),
    { ...OPTIONS, iterations: 1 },
    { targetTest: targetTest! },
  );
  assert.equal(late.sort(), ['classWeight.normalise', 'confusionMatrix.count']);
  assert.ok(result.secondsToFirstStep! >= 0.24, `${result.secondsToFirstStep} s`);
  training.dispose();
  gpu.dispose();
});

run();
