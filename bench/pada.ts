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
import { sizeOf } from '../src/shape.ts';
import type { Checkpoint } from '../src/train/checkpoint.ts';
import { pada as padaMethod } from '../src/train/methods/pada.ts';
import { Trainer } from '../src/train/trainer.ts';
import type { Bench } from './harness/case.ts';
import { type Input, uniform } from './harness/inputs.ts';
import { type PreparedStep, stepCase } from './harness/stepCase.ts';
import { gradientMismatch, mismatch, toleranceOn } from './harness/verify.ts';

const BATCH = 64;
// Multiply-adds per image of the convolutions and of all linear layers. Backward has twice as many, without the images' gradient.
const CONVOLUTIONS = [24 * 24 * 16 * 25, 8 * 8 * 32 * 400];
const LINEAR = 512 * 128 + 128 * 10 + 2 * 128 * 128 + 128;
export const PADA_FLOPS = 2 * 2 * BATCH * (3 * (CONVOLUTIONS[1]! + LINEAR) + 2 * CONVOLUTIONS[0]!);

export const SHAPE = `${BATCH}+${BATCH}x1x28x28`;

/** An iteration of PADA as `train()` runs it: two batches, both networks forward and backward, the update. */
export const pada: Bench = () => [
  stepCase({
    bench: 'pada-step',
    shape: SHAPE,
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

const domains = () => ({ source: images(6000, 1), target: images(3075, 2) });

/** Returns the settings of the trainer whose iterations are timed. */
export const padaSettings = (gpu: Gpu) => ({
  ...{ gpu, ...domains(), numClasses: 10, method: padaMethod(), batchSize: BATCH },
  float32MatmulPrecision: gemmSettings.of(gpu).half ? ('medium' as const) : ('highest' as const),
});

/** Makes an iteration that can be repeated, with these parameters and the first images, or with some of its own. */
export async function prepare(
  gpu: Gpu,
  parameters?: PadaParameters,
): Promise<PreparedStep & { momenta(): Promise<Record<string, number[]>> }> {
  const settings = padaSettings(gpu);
  const { source, target } = settings;
  const training = await Trainer.create(settings);
  const before = middle(await training.state(), parameters);
  training.restore(before);
  return {
    step: async () => void (await training.step()),
    momenta: async () => momentaOf((await training.state()).tensors),
    verify: () => verify(training, before, { source, target }),
    dispose: () => training.dispose(),
  };
}

// The middle of a run: gradients are reversed, and class weights differ.
const ITERATION = 1050;
const CLASS_WEIGHT = Float32Array.from({ length: 10 }, (_, i) => 1 - i / 10);

/** Changes a state to one from the middle of a run, with these parameters and the images in order if there are any. */
function middle({ method, jitter, options, tensors }: Checkpoint, parameters?: PadaParameters): Checkpoint {
  const changed = new Map(tensors);
  const change = (name: string, data: HostTensor['data']) => changed.set(name, { ...tensors.get(name)!, data });
  change('classWeight.weight', CLASS_WEIGHT);
  change('classWeight.steps', BigInt64Array.of(BigInt(ITERATION)));
  for (const [name, { data }] of tensors) {
    if (parameters && name in parameters) change(name, parameters[name]!.data);
    else if (parameters && name.endsWith('.order')) change(name, (data as Uint32Array).toSorted());
    else if (/^model\.backbone\.\d\.(weight|bias)$/.test(name))
      change(
        name,
        (data as Float32Array).map((v) => Math.round(256 * v) / 256),
      );
  }
  return { iteration: ITERATION, method, jitter, options, tensors: changed };
}

/** Parameters by name. */
export type PadaParameters = Readonly<Record<string, Input<Float32Array>>>;

const LAYERS = {
  ...{ 'model.backbone.0': [16, 1, 5, 5], 'model.backbone.3': [32, 16, 5, 5] },
  ...{ 'model.bottleneck.0': [128, 512], 'model.bottleneck.1': [128], 'model.head': [10, 128] },
  ...{ 'discriminator.0': [128, 128], 'discriminator.1': [128] },
  ...{ 'discriminator.3': [128, 128], 'discriminator.4': [128], 'discriminator.6.0': [1, 128] },
};

/** Returns an iteration that other libraries can do: what it begins with, and the momenta after it in double precision. */
export function padaIterationTask() {
  const { source, target } = domains();
  const parameters: PadaParameters = Object.fromEntries(
    Object.entries(LAYERS).flatMap(([name, shape], i) => {
      const scale = 1 / Math.sqrt(sizeOf(shape.slice(1)));
      return [
        [`${name}.weight`, uniform(shape, { seed: 100 + 2 * i, scale })],
        [`${name}.bias`, uniform([shape[0]!], { seed: 101 + 2 * i, scale })],
      ];
    }),
  );
  const settings = {
    ...{ batch: BATCH, tradeOff: 1, coefficient: reversalCoefficient(ITERATION, { alpha: 1, maxIters: 1000 }) },
    ...{ lr: 0.01, momentum: 0.9, weight_decay: 0.001 },
  };
  const classWeight = { shape: [10], data: CLASS_WEIGHT };
  const labels = { shape: [source.count], data: Uint32Array.from(labelsOf(source)) };
  const bytes = ({ count, images }: HostImages) => ({ shape: [count, 784], data: Uint8Array.from(images) });
  const inputs = { ...parameters, classWeight, labels, source: bytes(source), target: bytes(target) };
  const truth = () => {
    const first = Array.from({ length: BATCH }, (_, i) => i);
    const batch = {
      source: pixels(source, first),
      labels: { shape: [BATCH], data: labels.data.subarray(0, BATCH) },
      target: pixels(target, first),
    };
    const { gradients } = padaIteration(parameters, batch, { ...settings, classWeight });
    // The first momentum is the gradient with weight decay.
    return byLayer(
      Object.entries(parameters).map(([name, { data }]) => [
        name,
        gradients[name]!.data.map((g, i) => g + settings.weight_decay * data[i]!),
      ]),
    );
  };
  return { settings, inputs, truth };
}

/** Returns the momenta in a trainer's state, by layer. */
function momentaOf(tensors: Checkpoint['tensors']): Record<string, number[]> {
  const names = parametersOf(tensors);
  return byLayer(names.map((name, i) => [name, tensors.get(`optimizer.${i}.momentum_buffer`)!.data as Float32Array]));
}

const parametersOf = (tensors: Checkpoint['tensors']): string[] =>
  [...tensors.keys()].filter((name) => /^(model|discriminator)\..*\.(weight|bias)$/.test(name));

/** Joins weight and bias of each layer. */
function byLayer(named: readonly (readonly [name: string, data: ArrayLike<number>])[]): Record<string, number[]> {
  const layers: Record<string, number[]> = {};
  for (const [name, data] of named) {
    layers[layerOf(name)] ??= [];
    append(layers[layerOf(name)]!, data);
  }
  return layers;
}

const pixels = ({ images }: HostImages, which: readonly number[]) =>
  reshape(imageBatch(images as Uint8Array, 784, which), [BATCH, 1, 28, 28]);

/** Compares parameters and momentum after one step with an iteration in double precision. */
async function verify(
  training: Trainer,
  { iteration, method, options, tensors }: Checkpoint,
  { source, target }: { source: HostImages; target: HostImages },
): Promise<string | null> {
  const numbers = (name: string) => tensors.get(name)!.data as Float32Array;
  const order = (name: string) => [...(tensors.get(`${name}.order`)!.data as Uint32Array)].slice(0, BATCH);
  const sources = order('source');
  const all = labelsOf(source);
  const labels = Uint32Array.from(sources, (i) => all[i]!);
  const parameters = parametersOf(tensors);
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
