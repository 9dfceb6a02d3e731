import type { Gpu } from '../gpu/gpu.ts';
import type { Random } from '../random.ts';
import { type Shape, sizeOf } from '../shape.ts';
import { Parameter } from './parameter.ts';

/**
 * PyTorch's default for weights and biases of linear and convolutional layers: uniform within ±1/sqrt(fanIn), fanIn being
 * the inputs that meet in one output (`kaiming_uniform_` with a = sqrt(5)).
 */
export function uniformParameter(gpu: Gpu, shape: Shape, fanIn: number, random: Random, label: string): Parameter {
  if (!random?.uniform) throw new TypeError(`${label}: random is missing; pass random: new Random(seed)`);
  const bound = 1 / Math.sqrt(fanIn);
  return new Parameter(
    gpu,
    Float32Array.from({ length: sizeOf(shape) }, () => (2 * random.uniform() - 1) * bound),
    shape,
    label,
  );
}

/** A parameter of one value throughout. */
export function constantParameter(gpu: Gpu, shape: Shape, value: number, label: string): Parameter {
  return new Parameter(gpu, new Float32Array(sizeOf(shape)).fill(value), shape, label);
}
