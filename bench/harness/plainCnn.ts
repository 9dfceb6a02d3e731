import { Random } from '../../src/random.ts';
import { type Shape, sizeOf } from '../../src/shape.ts';
import { type Input, integers } from './inputs.ts';
import * as reference from './reference.ts';

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

const FIRST = { n: BATCH, c: 1, h: 28, w: 28, o: 32, r: 5, s: 5 };
const SECOND = { n: BATCH, c: 32, h: 12, w: 12, o: 64, r: 5, s: 5 };

/** The network in double precision, with all that its backward needs. */
export function plainCnnForward(x: ArrayLike<number>, weights: Weights) {
  const at = (name: string) => weights[name]!.data;
  const first = reference.relu(reference.conv2d(x, at('0.weight'), at('0.bias'), FIRST));
  const firstPool = reference.maxPool2(first, BATCH * 32, 24, 24);
  const second = reference.relu(reference.conv2d(firstPool.y, at('3.weight'), at('3.bias'), SECOND));
  const secondPool = reference.maxPool2(second, BATCH * 64, 8, 8);
  const hidden = reference.relu(reference.linear(secondPool.y, at('7.weight'), at('7.bias'), 1024));
  const logits = reference.linear(hidden, at('9.weight'), at('9.bias'), 128);
  return { first, firstPool, second, secondPool, hidden, logits };
}

/** Loss and gradients in double precision, by the names of the parameters. */
export function plainCnnGradients(x: ArrayLike<number>, labels: ArrayLike<number>, weights: Weights) {
  const at = (name: string) => weights[name]!.data;
  const { first, firstPool, second, secondPool, hidden, logits } = plainCnnForward(x, weights);
  const { loss, dlogits } = reference.crossEntropy(logits, labels, CLASSES);
  const last = reference.linearBackward(hidden, at('9.weight'), dlogits, 128);
  const third = reference.linearBackward(secondPool.y, at('7.weight'), reference.reluBackward(hidden, last.dx), 1024);
  const dsecond = reference.maxPool2Backward(secondPool.from, third.dx, second.length);
  const conv = reference.conv2dBackward(firstPool.y, at('3.weight'), reference.reluBackward(second, dsecond), SECOND);
  const dfirst = reference.maxPool2Backward(firstPool.from, conv.dx, first.length);
  const image = reference.conv2dBackward(x, at('0.weight'), reference.reluBackward(first, dfirst), FIRST);
  const gradients: Record<string, Float64Array> = {
    '0.weight': image.dweight,
    '0.bias': image.dbias,
    '3.weight': conv.dweight,
    '3.bias': conv.dbias,
    '7.weight': third.dweight,
    '7.bias': third.dbias,
    '9.weight': last.dweight,
    '9.bias': last.dbias,
  };
  return { loss, gradients };
}
