import { AutomaticUpdateClassWeightModule } from '../adaptation/automaticUpdate.ts';
import { ImageDataset } from '../data/dataset.ts';
import { limit } from '../data/subset.ts';
import { measurePeaks } from '../debug/peaks.ts';
import { createGpu } from '../gemm/createGpu.ts';
import { SUBGROUP_MATRICES, setFloat32MatmulPrecision } from '../gemm/precision.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { relu } from '../ops/relu.ts';
import { tensor } from '../tensor.ts';
import { Evaluator } from '../train/evaluate.ts';
import { train } from '../train/train.ts';
import { Training } from '../train/training.ts';
import type { Context } from './context.ts';
import { resolveData } from './data.ts';
import { EXIT } from './errors.ts';
import { NotFiniteModelError, openModel, safetensorsOf } from './model.ts';

/** The outside as it is: this process, its GPU, its files. */
export function realContext(): Context {
  let interrupt: AbortController | undefined;
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    exitCode: EXIT.ok,
    interruptible() {
      interrupt ??= abortOnSignals();
      return interrupt.signal;
    },
    openGpu,
    resolveData,
    async train(...args) {
      const { result, training } = await train(...args);
      return { result, modelBytes: () => safetensorsOf(training.model), dispose: () => training.dispose() };
    },
    evaluate,
    classWeight,
    selfTest,
    timeIteration,
    profile,
  };
}

const openGpu: Context['openGpu'] = async (precision = 'highest') => {
  const gpu = await createGpu({ features: precision === 'medium' ? [SUBGROUP_MATRICES] : [] });
  try {
    await setFloat32MatmulPrecision(gpu, precision);
    return gpu;
  } catch (error) {
    gpu.dispose();
    throw error;
  }
};

function abortOnSignals(): AbortController {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT[name]);
      controller.abort(name);
    });
  }
  return controller;
}

const evaluate: Context['evaluate'] = async (gpu, saved, images) => {
  const model = openModel(gpu, saved);
  const evaluator = new Evaluator(gpu, images, model, saved.numClasses);
  try {
    // A NaN counts as the largest logit. Weights that are finite but far too large show in the first batch.
    await classWeight(gpu, saved, limit(images, BATCH), 1);
    return await evaluator.run();
  } finally {
    evaluator.dispose();
    model.dispose();
  }
};

const classWeight: Context['classWeight'] = async (gpu, saved, images, temperature) => {
  const model = openModel(gpu, saved);
  const data = new ImageDataset(gpu, images, BATCH, { labelled: false });
  const { numClasses } = saved;
  const options = { updateSteps: 1, dataLoader: data, classifier: model, numClasses, temperature };
  const weights = new AutomaticUpdateClassWeightModule(gpu, options);
  try {
    await weights.update();
    const classWeight = [...(await weights.classWeight.read())];
    if (!classWeight.every(Number.isFinite))
      throw new NotFiniteModelError(saved.file, 'its weights are finite, but some logits of these images are not');
    return classWeight;
  } finally {
    for (const thing of [weights, data, model]) thing.dispose();
  }
};

async function selfTest(gpu: Gpu): Promise<void> {
  const x = tensor(gpu, [-1, 2, 3.5]);
  const y = relu(x);
  try {
    const read = [...(await y.read())];
    if (read.join() !== '0,2,3.5')
      throw new Error(`relu of [-1, 2, 3.5] came out as [${read.join(', ')}]: the driver computes wrongly`);
  } finally {
    x.dispose();
    y.dispose();
  }
}

const BATCH = 128;
const WARM_UP = 2;
const TIMED = 4;

const profile: Context['profile'] = async (gpu, data, options) => {
  const training = await Training.create(gpu, data, options);
  try {
    for (let i = 0; i < WARM_UP; i++) await training.step();
    const measured = await gpu.profile(async () => {
      for (let i = 0; i < TIMED; i++) await training.step();
    });
    return { profile: measured, iterations: TIMED, peaks: await measurePeaks(gpu) };
  } finally {
    training.dispose();
  }
};

const timeIteration: Context['timeIteration'] = async (gpu, data, options, onCompile) => {
  const training = Training.begin(gpu, data, options);
  try {
    await training.prepare([], { onCompile });
    for (let i = 0; i < WARM_UP; i++) await training.step();
    await gpu.idle();
    const before = performance.now();
    for (let i = 0; i < TIMED; i++) await training.step();
    await gpu.idle();
    return (performance.now() - before) / 1000 / TIMED;
  } finally {
    training.dispose();
  }
};
