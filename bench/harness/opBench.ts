// Benches of ops, forward and backward, from one description each.
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Shape } from '../../src/shape.ts';
import type { Tensor } from '../../src/tensor.ts';
import { type Bench, kernelCase, type Scale } from './case.ts';
import { type Input, uniform, wanted } from './inputs.ts';
import type { Numbers } from './verify.ts';

/** An op with inputs of several sizes. `S` describes a size: a shape, or an object with sizes. */
export interface OpBench<S, Inputs extends Record<string, Input>> {
  bench: string;
  sizes: (scale: Scale) => readonly S[];
  /** The column `shape`. Default: the shape, as in 64x10. */
  label?: (size: S) => string;
  inputs: (size: S) => Inputs;
  run: (inputs: Record<keyof Inputs, Tensor>, size: S, gpu: Gpu) => readonly Tensor[];
  /** The results in double precision. */
  truth: (inputs: Inputs, size: S) => readonly Numbers[];
  /** Multiplications and additions, if they limit the speed. */
  flops?: (size: S) => number;
  /** The backward pass, measured as `NAME-backward`. */
  gradients?: {
    /** The inputs whose gradients are computed. */
    of: readonly (keyof Inputs)[] | ((size: S) => readonly (keyof Inputs)[]);
    /** The gradient of the first result. Default: random numbers. */
    dy?: (shape: Shape) => Float32Array;
    /** Their gradients in double precision, in this order. */
    truth: (inputs: Inputs, dy: Float32Array, size: S) => readonly Numbers[];
    flops?: (size: S) => number;
    /** Bytes that must be moved; by default all inputs, dy and all gradients. */
    bytes?: (size: S) => number;
  };
  tolerance?: number;
}

/** Returns the bench of an op: for each size a case `NAME` and, with gradients, a case `NAME-backward`. */
export function opBench<S, Inputs extends Record<string, Input>>(spec: OpBench<S, Inputs>): Bench {
  const { bench, gradients, tolerance, label = (size) => (size as Shape).join('x') } = spec;
  return (scale) =>
    spec.sizes(scale).flatMap((size) => {
      const shared = {
        shape: label(size),
        run: (inputs: Record<keyof Inputs, Tensor>, gpu: Gpu) => spec.run(inputs, size, gpu),
        ...(tolerance && { tolerance }),
      };
      const forward = kernelCase<Inputs>({
        ...shared,
        bench,
        inputs: () => spec.inputs(size),
        truth: (inputs) => spec.truth(inputs, size),
        ...(spec.flops && { flops: spec.flops(size) }),
      });
      if (!gradients) return [forward];
      const { of, dy, truth, flops, bytes } = gradients;
      const backward = kernelCase<Inputs>({
        ...shared,
        bench: `${bench}-backward`,
        inputs: () => {
          const inputs: Inputs = { ...spec.inputs(size) };
          for (const name of typeof of === 'function' ? of(size) : of) inputs[name] = wanted(inputs[name]!);
          return inputs;
        },
        ...(dy && { dy }),
        truth: (inputs, dy) => truth(inputs, dy, size),
        ...(flops && { flops: flops(size) }),
        ...(bytes && { bytes: bytes(size) }),
      });
      return [forward, backward];
    });
}

// More than caches hold.
const vectors = ({ quick, software }: Scale): Shape[] => [[quick ? 2 ** 16 : software ? 2 ** 20 : 2 ** 24]];

const SMALL = { scale: 2 };

/** Returns the bench of an elementwise op of one tensor; `slope` is dy/dx at x. */
export const unaryBench = (
  bench: string,
  op: (x: Tensor) => Tensor,
  { f, slope }: { f: (x: number) => number; slope: (x: number) => number },
  made: (x: Input<Float32Array>) => Input<Float32Array> = (x) => x,
): Bench =>
  opBench({
    bench,
    sizes: vectors,
    inputs: (shape) => ({ x: made(uniform(shape, SMALL)) }),
    run: ({ x }) => [op(x)],
    truth: ({ x }) => [Float64Array.from(x.data, (v) => f(v))],
    gradients: {
      of: ['x'],
      truth: ({ x }, dy) => [Float64Array.from(dy, (g, i) => g * slope(x.data[i]!))],
    },
  });

/** Returns the bench of an elementwise op of two tensors; `slopes` are dy/da and dy/db. */
export const binaryBench = (
  bench: string,
  op: (a: Tensor, b: Tensor) => Tensor,
  { f, slopes }: { f: (a: number, b: number) => number; slopes: readonly ((a: number, b: number) => number)[] },
  made: (b: Input<Float32Array>) => Input<Float32Array> = (b) => b,
): Bench =>
  opBench({
    bench,
    sizes: vectors,
    inputs: (shape) => ({ a: uniform(shape, SMALL), b: made(uniform(shape, { ...SMALL, seed: 2 })) }),
    run: ({ a, b }) => [op(a, b)],
    truth: ({ a, b }) => [Float64Array.from(a.data, (v, i) => f(v, b.data[i]!))],
    gradients: {
      of: ['a', 'b'],
      truth: ({ a, b }, dy) =>
        slopes.map((slope) => Float64Array.from(dy, (g, i) => g * slope(a.data[i]!, b.data[i]!))),
    },
  });

/** Logits [rows, columns]: few columns, as in a small classifier, and many. */
export const matrices = ({ quick }: Scale): [rows: number, cols: number][] =>
  quick
    ? [[256, 31]]
    : [
        [4096, 31],
        [1024, 1000],
      ];
