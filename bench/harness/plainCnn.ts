import { Random } from '../../src/random.ts';
import { type Shape, sizeOf } from '../../src/shape.ts';
import { type Input, integers } from './inputs.ts';

/** Images of a step. */
export const BATCH = 64;
export const CLASSES = 10;
export const LEARNING_RATE = 0.01;
export const MOMENTUM = 0.9;

/** The network's parameters by the names of `PlainCnn`, with the number of inputs that each output has. */
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

/** Multiplications and additions of the forward pass; backward has twice as many, but for the gradient of the images. */
export const FORWARD_FLOPS = 2 * BATCH * (24 * 24 * 32 * 25 + 8 * 8 * 64 * 800 + 1024 * 128 + 128 * CLASSES);
export const STEP_FLOPS = 3 * FORWARD_FLOPS - 2 * BATCH * 24 * 24 * 32 * 25;

export type Weights = Record<string, Input<Float32Array>>;

export interface Inputs {
  x: Input<Float32Array>;
  labels: Input<Uint32Array>;
  weights: Weights;
}

/**
 * Images, labels and weights, the same for everyone. They are multiples of 1/8 and of 1/256: every sum up to the second
 * pooling is exact in single precision, so all take the same maximum of each window, and gradients go the same ways. With
 * `ties` false they are any numbers: frameworks differ in what they do where two are the maximum.
 */
export function plainCnnInputs({ ties = true } = {}): Inputs {
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
    x: numbers([BATCH, 1, 28, 28], 1, 8),
    labels: integers([BATCH], CLASSES, 8),
    weights: Object.fromEntries(
      PARAMETERS.map(({ name, shape, inputs }) => [name, numbers(shape, 1 / Math.sqrt(inputs), 256)]),
    ),
  };
}
