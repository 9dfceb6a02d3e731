import type { HostImages } from '../src/data/dataset.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import type { HostTensor } from '../src/nn/stateDict.ts';
import { Random } from '../src/random.ts';
import type { Checkpoint } from '../src/train/checkpoint.ts';
import { Training } from '../src/train/training.ts';
import type { Bench } from './harness/case.ts';
import { padaGradients } from './harness/padaReference.ts';
import { type PreparedStep, stepCase } from './harness/stepCase.ts';
import { gradientMismatch, mismatch, toleranceOn } from './harness/verify.ts';

const BATCH = 64;
// Forward: two convolutions, and linear layers of the networks; backward twice that, but for the images' gradient.
const CONVOLUTIONS = [24 * 24 * 16 * 25, 8 * 8 * 32 * 400];
const LINEAR = 512 * 128 + 128 * 10 + 2 * 128 * 128 + 128;
const PADA_FLOPS = 2 * 2 * BATCH * (3 * (CONVOLUTIONS[1]! + LINEAR) + 2 * CONVOLUTIONS[0]!);

/** An iteration of PADA as it is trained: batches drawn, both networks forward and backward, the update. */
export const pada: Bench = () => [
  stepCase({
    bench: 'pada-step',
    shape: `${BATCH}+${BATCH}x1x28x28`,
    kernel: 'captured step',
    flops: PADA_FLOPS,
    prepare,
  }),
];

/** Black and white, so that sums of weights that are multiples of 1/256 are exact: all take the same maxima in pooling. */
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

async function prepare(gpu: Gpu): Promise<PreparedStep> {
  const data = { source: images(6000, 1), target: images(3075, 2), numClasses: 10 };
  const training = await Training.create(gpu, data, {
    method: 'pada',
    batchSize: BATCH,
    float32MatmulPrecision: gpu.halfFamily ? 'medium' : 'highest',
  });
  const before = middle(await training.state());
  training.restore(before);
  return {
    step: () => training.step(),
    verify: () => verify(training, before, data),
    dispose: () => training.dispose(),
  };
}

/** A state as in the middle of a run: gradients are reversed, and classes weigh differently. */
function middle({ options, tensors }: Checkpoint): Checkpoint {
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
  return { iteration, options, tensors: changed };
}

/** Compares parameters and momentum after one step with those of an iteration in double precision. */
async function verify(
  training: Training,
  { iteration, options, tensors }: Checkpoint,
  { source, target }: { source: HostImages; target: HostImages },
): Promise<string | null> {
  const numbers = (name: string) => tensors.get(name)!.data as Float32Array;
  const order = (name: string) => [...(tensors.get(`${name}.order`)!.data as Uint32Array)].slice(0, BATCH);
  const pixels = ({ images }: HostImages, which: readonly number[]) =>
    which.flatMap((i) => Array.from(images.subarray(784 * i, 784 * (i + 1)), (v) => v / 127.5 - 1));
  const sources = order('source');
  const gradients = padaGradients(
    {
      x: [...pixels(source, sources), ...pixels(target, order('target'))],
      labels: sources.map((i) => source.labels![i]!),
      classWeight: numbers('classWeight.weight'),
      coefficient: 2 / (1 + Math.exp((-options.reversalAlpha * iteration) / options.reversalIterations)) - 1,
      tradeOff: options.tradeOff,
    },
    numbers,
  );
  const { lr, lrGamma, lrDecay, momentum, weightDecay } = options;
  const rate = lr * (1 + lrGamma * iteration) ** -lrDecay;
  const after = (await training.state()).tensors;
  const parameters = [...after.keys()].filter((name) => /^(model|discriminator)\..*\.(weight|bias)$/.test(name));
  if (parameters.length !== Object.keys(gradients).length)
    return `${parameters.length} parameters, expected ${Object.keys(gradients).length}`;
  const layers = new Map<string, Record<'momentum' | 'moved' | 'direction' | 'update', number[]>>();
  for (const [i, name] of parameters.entries()) {
    const old = numbers(name);
    // Nesterov's first step: the momentum is the gradient, and the update looks ahead along it.
    const direction = gradients[name]!.map((g, k) => g + weightDecay * old[k]!);
    const layer = layers.get(layerOf(name)) ?? { momentum: [], moved: [], direction: [], update: [] };
    layers.set(layerOf(name), layer);
    append(layer.momentum, after.get(`optimizer.${i}.momentum_buffer`)!.data as Float32Array);
    append(layer.moved, after.get(name)!.data as Float32Array);
    append(layer.direction, direction);
    append(
      layer.update,
      direction.map((d, k) => old[k]! - rate * (1 + momentum) * d),
    );
  }
  for (const [layer, { momentum, moved, direction, update }] of layers) {
    const inMomentum = gradientMismatch(training.gpu, momentum, direction, 2e-4);
    if (inMomentum) return `momentum of ${layer}: ${inMomentum}`;
    const inParameters = mismatch(moved, update, toleranceOn(training.gpu, 1e-5));
    if (inParameters) return `parameters of ${layer}: ${inParameters}`;
  }
  return null;
}

// Weight and bias are compared as one: the gradient of a bias before batch norm is nothing but the rounding of its terms.
const layerOf = (name: string): string => name.replace(/\.(weight|bias)$/, '');

/** One by one: as arguments of a single call they would not fit a worker's stack. */
function append(to: number[], from: ArrayLike<number>): void {
  for (let i = 0; i < from.length; i++) to.push(from[i]!);
}
