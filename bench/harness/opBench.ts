import type { Gpu } from '../../src/gpu/gpu.ts';
import { type Shape, sizeOf } from '../../src/shape.ts';
import type { Tensor } from '../../src/tensor.ts';
import type { Bench, Scale } from './case.ts';
import { type Input, uniform, wanted } from './inputs.ts';
import { type KernelCase, kernelCase } from './kernelCase.ts';
import type { Numbers } from './verify.ts';

/** An op on inputs of some shapes, forward and, where its gradients are given, backward. */
export interface OpBench<Inputs extends Record<string, Input>> {
  bench: string;
  shapes: (scale: Scale) => readonly Shape[];
  inputs: (shape: Shape) => Inputs;
  run: (inputs: Record<keyof Inputs, Tensor>, gpu: Gpu) => readonly Tensor[];
  truth: (inputs: Inputs, shape: Shape) => readonly Numbers[];
  gradients?: {
    of: readonly (keyof Inputs)[];
    truth: (inputs: Inputs, dy: Float32Array, shape: Shape) => readonly Numbers[];
  };
  tolerance?: number;
}

/** The cases of an op: for each shape `NAME` and, with gradients, `NAME-backward`. */
export function opBench<Inputs extends Record<string, Input>>(spec: OpBench<Inputs>): Bench {
  const { bench, run, truth, gradients, tolerance } = spec;
  return (scale) =>
    spec.shapes(scale).flatMap((shape) => {
      const shared = { shape: shape.join('x'), run, ...(tolerance && { tolerance }) };
      const forward: KernelCase<Inputs> = {
        ...shared,
        bench,
        inputs: () => spec.inputs(shape),
        truth: (inputs) => truth(inputs, shape),
      };
      if (!gradients) return [kernelCase(forward)];
      const backward: KernelCase<Inputs> = {
        ...shared,
        bench: `${bench}-backward`,
        inputs: () => {
          const inputs: Inputs = { ...spec.inputs(shape) };
          for (const name of gradients.of) inputs[name] = wanted(inputs[name]!) as Inputs[typeof name];
          return inputs;
        },
        truth: (inputs, dy) => gradients.truth(inputs, dy, shape),
      };
      return [kernelCase(forward), kernelCase(backward)];
    });
}

// More than caches hold.
const sizes = ({ quick, software }: Scale): Shape[] => [[quick ? 2 ** 16 : software ? 2 ** 20 : 2 ** 24]];

const SMALL = { scale: 2 };

/** One number out of one: `slope` is dy/dx at x. */
export const unaryBench = (
  bench: string,
  op: (x: Tensor) => Tensor,
  { f, slope }: { f: (x: number) => number; slope: (x: number) => number },
  made: (x: Input<Float32Array>) => Input<Float32Array> = (x) => x,
): Bench =>
  opBench({
    bench,
    shapes: sizes,
    inputs: (shape) => ({ x: made(uniform(shape, SMALL)) }),
    run: ({ x }) => [op(x)],
    truth: ({ x }) => [Float64Array.from(x.data, (v) => f(v))],
    gradients: {
      of: ['x'],
      truth: ({ x }, dy) => [Float64Array.from(dy, (g, i) => g * slope(x.data[i]!))],
    },
  });

/** One number out of two: `slopes` are dy/da and dy/db. */
export const binaryBench = (
  bench: string,
  op: (a: Tensor, b: Tensor) => Tensor,
  { f, slopes }: { f: (a: number, b: number) => number; slopes: readonly ((a: number, b: number) => number)[] },
): Bench =>
  opBench({
    bench,
    shapes: sizes,
    inputs: (shape) => ({ a: uniform(shape, SMALL), b: uniform(shape, { ...SMALL, seed: 2 }) }),
    run: ({ a, b }) => [op(a, b)],
    truth: ({ a, b }) => [Float64Array.from(a.data, (v, i) => f(v, b.data[i]!))],
    gradients: {
      of: ['a', 'b'],
      truth: ({ a, b }, dy) =>
        slopes.map((slope) => Float64Array.from(dy, (g, i) => g * slope(a.data[i]!, b.data[i]!))),
    },
  });

/** Rows of few columns, as a classifier has them, and of many. */
export const matrices = ({ quick }: Scale): Shape[] =>
  quick
    ? [[256, 31]]
    : [
        [4096, 31],
        [1024, 1000],
      ];

/** Rows and columns of a matrix, and its size. */
export const matrixOf = (shape: Shape): { rows: number; cols: number; size: number } => ({
  rows: shape[0]!,
  cols: shape[1]!,
  size: sizeOf(shape),
});
