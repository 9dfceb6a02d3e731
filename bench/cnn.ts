// The CNN that frameworks are compared by: its forward pass, and a training step with momentum.
import * as reference from '../reference/index.ts';
import { backward, noGrad } from '../src/autograd.ts';
import { capture } from '../src/capture.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '../src/nn/index.ts';
import { crossEntropy } from '../src/ops/crossEntropy.ts';
import { Sgd } from '../src/optim/sgd.ts';
import { Random } from '../src/random.ts';
import { type Shape, sizeOf } from '../src/shape.ts';
import { tensor } from '../src/tensor.ts';
import type { Bench } from './harness/case.ts';
import { type Input, integers } from './harness/inputs.ts';
import { type PreparedStep, stepCase } from './harness/stepCase.ts';
import { gradientMismatch, mismatch, toleranceOn } from './harness/verify.ts';

/** Images per step. */
export const BATCH = 64;
export const CLASSES = 10;
export const LEARNING_RATE = 0.01;
export const MOMENTUM = 0.9;

const IMAGES = [BATCH, 1, 28, 28];

/** Multiplications and additions. Backward has twice as many as forward, without those of the images' gradient. */
export const FORWARD_FLOPS = 2 * BATCH * (24 * 24 * 32 * 25 + 8 * 8 * 64 * 800 + 1024 * 128 + 128 * CLASSES);
export const STEP_FLOPS = 3 * FORWARD_FLOPS - 2 * BATCH * 24 * 24 * 32 * 25;

export const plainCnn: Bench = () => {
  const shared = { shape: IMAGES.join('x'), kernel: 'captured step' };
  return [
    stepCase({ ...shared, bench: 'cnn-forward', flops: FORWARD_FLOPS, prepare: (gpu) => forward(gpu) }),
    stepCase({ ...shared, bench: 'cnn-step', flops: STEP_FLOPS, prepare: (gpu) => step(gpu) }),
  ];
};

/** Makes the network for x: [n, 1, 28, 28]; logits: [n, 10]. */
export function plainNetwork(gpu: Gpu): Sequential {
  const random = new Random(0);
  return new Sequential(
    new Conv2d(gpu, { inChannels: 1, outChannels: 32, kernelSize: 5, random }), // [n, 32, 24, 24]
    new ReLU(),
    new MaxPool2d({ kernelSize: 2 }), // [n, 32, 12, 12]
    new Conv2d(gpu, { inChannels: 32, outChannels: 64, kernelSize: 5, random }), // [n, 64, 8, 8]
    new ReLU(),
    new MaxPool2d({ kernelSize: 2 }), // [n, 64, 4, 4]
    new Flatten(), // [n, 1024]
    new Linear(gpu, { inFeatures: 1024, outFeatures: 128, random }),
    new ReLU(),
    new Linear(gpu, { inFeatures: 128, outFeatures: CLASSES, random }),
  );
}

// The network's parameters, with the number of inputs of each output.
const PARAMETERS: readonly { name: string; shape: Shape; inputs: number }[] = [
  { name: '0.weight', shape: [32, 1, 5, 5], inputs: 25 },
  { name: '0.bias', shape: [32], inputs: 25 },
  { name: '3.weight', shape: [64, 32, 5, 5], inputs: 800 },
  { name: '3.bias', shape: [64], inputs: 800 },
  { name: '7.weight', shape: [128, 1024], inputs: 1024 },
  { name: '7.bias', shape: [128], inputs: 1024 },
  { name: '9.weight', shape: [CLASSES, 128], inputs: 128 },
  { name: '9.bias', shape: [CLASSES], inputs: 128 },
];

export interface CnnInputs {
  x: Input<Float32Array>;
  labels: Input<Uint32Array>;
  weights: Record<string, Input<Float32Array>>;
}

/**
 * Returns images, labels and weights. By default images are multiples of 1/8 and weights of 1/256: every sum up to the second
 * pooling is exact in single precision, so the GPU and the truth choose the same maximum of each window. With `ties: false` they
 * are arbitrary numbers, because frameworks differ in what they do with equal maxima.
 */
export function cnnInputs({ ties = true } = {}): CnnInputs {
  const random = new Random(7);
  const numbers = (shape: Shape, most: number, parts: number): Input<Float32Array> => {
    const steps = ties ? Math.floor(most * parts) : 2 ** 20;
    const size = ties ? 1 / parts : most / steps;
    return {
      shape,
      data: Float32Array.from({ length: sizeOf(shape) }, () => (random.integer(2 * steps + 1) - steps) * size),
    };
  };
  return {
    x: numbers(IMAGES, 1, 8),
    labels: integers([BATCH], CLASSES, 8),
    weights: Object.fromEntries(
      PARAMETERS.map(({ name, shape, inputs }) => [name, numbers(shape, 1 / Math.sqrt(inputs), 256)]),
    ),
  };
}

function model(gpu: Gpu, inputs: CnnInputs) {
  const network = plainNetwork(gpu);
  network.loadStateDict(new Map(Object.entries(inputs.weights)));
  const x = tensor(gpu, inputs.x.data, inputs.x.shape, 'images');
  return { network, x };
}

/** Captures the forward pass. */
export async function forward(
  gpu: Gpu,
  inputs = cnnInputs(),
): Promise<PreparedStep & { logits(): Promise<Float32Array> }> {
  const { network, x } = model(gpu, inputs);
  const captured = await capture(gpu, () => noGrad(() => network.forward(x)));
  return {
    step: () => captured.run(),
    logits: () => captured.result.read(),
    verify: async () => {
      const { y } = reference.plainCnn(reference.passOf(inputs.weights), inputs.x);
      return mismatch(await captured.result.read(), y.data, toleranceOn(gpu, 1e-5));
    },
    dispose: () => {
      for (const thing of [captured, captured.result, x, network]) thing.dispose();
    },
  };
}

/** Captures forward, backward and update. */
export async function step(
  gpu: Gpu,
  inputs = cnnInputs(),
): Promise<PreparedStep & { loss(): Promise<number>; network: Sequential }> {
  const { network, x } = model(gpu, inputs);
  const labels = tensor(gpu, inputs.labels.data, inputs.labels.shape, 'labels');
  const optimizer = new Sgd(network.parameters(), { lr: LEARNING_RATE, momentum: MOMENTUM });
  const captured = await capture(gpu, () => {
    optimizer.zeroGrad();
    const loss = crossEntropy(network.forward(x), labels);
    backward(loss);
    optimizer.step();
    return loss;
  });
  return {
    step: () => captured.run(),
    network,
    loss: () => captured.result.item(),
    verify: async () => {
      const { loss, gradients } = reference.plainCnnGradients(inputs.weights, inputs.x, inputs.labels);
      const wrong = mismatch([await captured.result.item()], [loss], toleranceOn(gpu, 1e-5));
      if (wrong) return `loss: ${wrong}`;
      for (const [name, parameter] of network.namedParameters()) {
        const before = inputs.weights[name]!.data;
        const gradient = gradients[name]!.data;
        const inGradient = gradientMismatch(gpu, await parameter.grad!.read(), gradient, 1e-4);
        if (inGradient) return `gradient of ${name}: ${inGradient}`;
        const after = gradient.map((g, i) => before[i]! - LEARNING_RATE * g);
        const inParameter = mismatch(await parameter.read(), after, toleranceOn(gpu, 1e-5));
        if (inParameter) return `${name}: ${inParameter}`;
      }
      return null;
    },
    dispose: () => {
      for (const thing of [captured, captured.result, optimizer, x, labels, network]) thing.dispose();
    },
  };
}
