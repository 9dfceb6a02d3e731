// The bench of PADA's whole iteration, as a captured step. Its losses and updated weights are compared with float64 before it is timed.
import {
  imageBatch,
  inverseDecay,
  padaIteration,
  parameterOf,
  reshape,
  reversalCoefficient,
  sgdStep,
} from '../reference/index.ts';
import { type HostImages, labelsOf } from '../src/data/host.ts';
import { gemmSettings } from '../src/gemm/settings.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import type { HostTensor } from '../src/nn/stateDict.ts';
import { Random } from '../src/random.ts';
import type { Checkpoint } from '../src/train/checkpoint.ts';
import { pada as padaMethod } from '../src/train/methods/pada.ts';
import { Trainer } from '../src/train/trainer.ts';
import type { Bench } from './harness/case.ts';
import { type PreparedStep, stepCase } from './harness/stepCase.ts';
import { gradientMismatch, mismatch, toleranceOn } from './harness/verify.ts';

const BATCH = 64;
// Multiply-adds per image of the convolutions and of all linear layers. Backward has twice as many, without the images' gradient.
const CONVOLUTIONS = [24 * 24 * 16 * 25, 8 * 8 * 32 * 400];
const LINEAR = 512 * 128 + 128 * 10 + 2 * 128 * 128 + 128;
const PADA_FLOPS = 2 * 2 * BATCH * (3 * (CONVOLUTIONS[1]! + LINEAR) + 2 * CONVOLUTIONS[0]!);

/** An iteration of PADA as `train()` runs it: two batches, both networks forward and backward, the update. */
export const pada: Bench = () => [
  stepCase({
    bench: 'pada-step',
    shape: `${BATCH}+${BATCH}x1x28x28`,
    kernel: 'captured step',
    flops: PADA_FLOPS,
    prepare,
  }),
];

/** Random black and white images. With weights that are multiples of 1/256, sums are exact, so GPU and truth pool the same maxima. */
function images(count: number, seed: number): HostImages {
  const random = new Random(seed);
  return {
    images: Uint8Array.from({ length: count * 28 * 28 }, () => 255 * random.integer(2)),
    labels: Uint8Array.from({ length: count }, () => random.integer(10)),
    count,
    height: 28,
    width: 28,
  };
}

/** Returns the settings of the trainer whose iterations are timed. */
export const padaSettings = (gpu: Gpu) => ({
  ...{ gpu, source: images(6000, 1), target: images(3075, 2), numClasses: 10, method: padaMethod(), batchSize: BATCH },
  float32MatmulPrecision: gemmSettings.of(gpu).half ? ('medium' as const) : ('highest' as const),
});

/** Makes an iteration that can be repeated. */
export async function prepare(gpu: Gpu): Promise<PreparedStep> {
  const settings = padaSettings(gpu);
  const { source, target } = settings;
  const training = await Trainer.create(settings);
  const before = middle(await training.state());
  training.restore(before);
  return {
    step: async () => void (await training.step()),
    verify: () => verify(training, before, { source, target }),
    dispose: () => training.dispose(),
  };
}

/** Changes a state to one from the middle of a run: gradients are reversed, and class weights differ. */
function middle({ method, jitter, options, tensors }: Checkpoint): Checkpoint {
  const iteration = 1050;
  const changed = new Map(tensors);
  const change = (name: string, data: HostTensor['data']) => changed.set(name, { ...tensors.get(name)!, data });
  change(
    'classWeight.weight',
    Float32Array.from({ length: 10 }, (_, i) => 1 - i / 10),
  );
  change('classWeight.steps', BigInt64Array.of(BigInt(iteration)));
  for (const [name, { data }] of tensors) {
    if (/^model\.backbone\.\d\.(weight|bias)$/.test(name))
      change(
        name,
        (data as Float32Array).map((v) => Math.round(256 * v) / 256),
      );
  }
  return { iteration, method, jitter, options, tensors: changed };
}

/** Compares parameters and momentum after one step with an iteration in double precision. */
async function verify(
  training: Trainer,
  { iteration, method, options, tensors }: Checkpoint,
  { source, target }: { source: HostImages; target: HostImages },
): Promise<string | null> {
  const numbers = (name: string) => tensors.get(name)!.data as Float32Array;
  const order = (name: string) => [...(tensors.get(`${name}.order`)!.data as Uint32Array)].slice(0, BATCH);
  const pixels = ({ images }: HostImages, which: readonly number[]) =>
    reshape(imageBatch(images as Uint8Array, 784, which), [BATCH, 1, 28, 28]);
  const sources = order('source');
  const all = labelsOf(source);
  const labels = Uint32Array.from(sources, (i) => all[i]!);
  const parameters = [...tensors.keys()].filter((name) => /^(model|discriminator)\..*\.(weight|bias)$/.test(name));
  const state = Object.fromEntries(
    parameters.map((name) => [name, { shape: tensors.get(name)!.shape, data: numbers(name) }]),
  );
  const { gradients } = padaIteration(
    state,
    {
      source: pixels(source, sources),
      labels: { shape: [BATCH], data: labels },
      target: pixels(target, order('target')),
    },
    {
      classWeight: { shape: [10], data: numbers('classWeight.weight') },
      coefficient: reversalCoefficient(iteration, {
        alpha: Number(method.options.reversalAlpha),
        maxIters: Number(method.options.reversalIterations),
      }),
      tradeOff: Number(method.options.tradeOff),
    },
  );
  if (parameters.length !== Object.keys(gradients).length)
    return `${parameters.length} parameters, expected ${Object.keys(gradients).length}`;
  const { momentum, weightDecay } = options;
  const lr = inverseDecay(iteration, { lr: options.lr, gamma: options.lrGamma, decay: options.lrDecay });
  const after = (await training.state()).tensors;
  const layers = new Map<string, Record<'momentum' | 'moved' | 'direction' | 'update', number[]>>();
  for (const [i, name] of parameters.entries()) {
    const parameter = parameterOf(numbers(name), 1, weightDecay);
    sgdStep(parameter, gradients[name]!.data, { lr, momentum, nesterov: true });
    const layer = layers.get(layerOf(name)) ?? { momentum: [], moved: [], direction: [], update: [] };
    layers.set(layerOf(name), layer);
    append(layer.momentum, after.get(`optimizer.${i}.momentum_buffer`)!.data as Float32Array);
    append(layer.moved, after.get(name)!.data as Float32Array);
    append(layer.direction, parameter.state.momentum_buffer!);
    append(layer.update, parameter.value);
  }
  for (const [layer, { momentum, moved, direction, update }] of layers) {
    const inMomentum = gradientMismatch(training.gpu, momentum, direction, 2e-4);
    if (inMomentum) return `momentum of ${layer}: ${inMomentum}`;
    const inParameters = mismatch(moved, update, toleranceOn(training.gpu, 1e-5));
    if (inParameters) return `parameters of ${layer}: ${inParameters}`;
  }
  return null;
}

// Weight and bias are compared together, because the gradient of a bias before batch norm is only rounding error.
const layerOf = (name: string): string => name.replace(/\.(weight|bias)$/, '');

/** Appends one by one; as arguments of a single call they would overflow a worker's stack. */
function append(to: number[], from: ArrayLike<number>): void {
  for (let i = 0; i < from.length; i++) to.push(from[i]!);
}
