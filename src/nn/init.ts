import type { Check } from '../checks/options.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { Random } from '../random.ts';
import { type Shape, sizeOf } from '../shape.ts';
import { Parameter } from './parameter.ts';

/** @internal An option that is a source of initial weights. */
export const aRandom: Check = {
  wanted: 'a Random, such as new Random(seed),',
  holds: (value) => value instanceof Random,
};

/**
 * Makes a parameter with PyTorch's default for weights and biases of linear and convolutional layers: uniform within
 * ±1/sqrt(fanIn), where fanIn is the number of inputs per output (`kaiming_uniform_` with a = sqrt(5)).
 */
export function uniformParameter(gpu: Gpu, shape: Shape, fanIn: number, random: Random, label: string): Parameter {
  const bound = 1 / Math.sqrt(fanIn);
  const data = new Float32Array(sizeOf(shape));
  // A loop is several times faster than Float32Array.from.
  for (let i = 0; i < data.length; i++) data[i] = (2 * random.uniform() - 1) * bound;
  return new Parameter(gpu, data, shape, label);
}

/** Makes a parameter whose elements are all `value`. */
export function constantParameter(gpu: Gpu, shape: Shape, value: number, label: string): Parameter {
  return new Parameter(gpu, new Float32Array(sizeOf(shape)).fill(value), shape, label);
}
