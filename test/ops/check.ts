// How ops are tested: against the double-precision reference on many shapes (checkOp), on numbers whose results are known
// (checkValues), and on calls that must throw (checkRefusals).

import * as assert from 'uvu/assert';
import type { Tolerance, Values } from '../../reference/index.ts';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { capture } from '../../src/capture.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { Scalar } from '../../src/gpu/scalar.ts';
import { scale } from '../../src/ops/scale.ts';
import { type Shape, sameShape, showShape, sizeOf } from '../../src/shape.ts';
import { empty, type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { assertClose, assertSameBits, gpuTest, inOwnOrder, seeded, uniform } from '../harness.ts';

export const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Shapes for ops of one tensor: around the 64 invocations of a workgroup, and several workgroups. */
export const ELEMENTS = ['1', '63', '64', '65', '7x11x13'];

/** Shapes for ops of two tensors: equal ones, and every way to repeat one of them or both. */
export const BROADCASTS = [
  ...['1 1', '63 63', '7x11x13 7x11x13', '() 2x3', '1x5 5', '5x7 7', '7 65x7', '5x7 5x1', '4x1 3'],
  ...['4x3x5x2 3x1x1', '2x1x3x1 1x5x1x7', '1009 1', '300x67 67'],
];

/** The shapes of several tensors, `5x7 5x1` for [5,7] and [5,1], `()` for a single number. */
export const shapesOf = (text: string): Shape[] =>
  text.split(' ').map((shape) => (shape === '()' ? [] : shape.split('x').map(Number)));

/** A matrix, written as its rows. */
export const rows = (...rows: number[][]): number[][] => rows;

type Fill = (shape: Shape, random: () => number) => Float32Array;

/** Numbers uniform over [low, high). */
export const between =
  (low: number, high: number): Fill =>
  (shape, random) =>
    Float32Array.from({ length: sizeOf(shape) }, () => low + (high - low) * random());

/** Different numbers in (-1, 1) in random order, at least 2 / size apart, so a small step leaves the largest of them the largest. */
export const distinct: Fill = (shape, random) => {
  const size = sizeOf(shape);
  const order = Array.from({ length: size }, (_, i) => [random(), i] as const).sort(([a], [b]) => a - b);
  return Float32Array.from(order, ([, i]) => (2 * i + 1) / size - 1);
};

export interface CheckOpOptions extends Partial<Tolerance> {
  /** One test per element: the shapes of the inputs with gradients, as {@link shapesOf} reads them. */
  shapes: readonly string[];
  /** Makes the content of the inputs; uniform over [-1, 1) by default. */
  fill?: Fill;
  /** Makes further inputs without gradients, such as labels and weights. */
  extra?: (shapes: readonly Shape[], random: () => number) => readonly (Float32Array | Uint32Array)[];
  /** The gradients of the inputs, written out: compared element by element instead of the central difference. */
  backward?: (dy: Values, ...inputs: Values[]) => readonly Values[];
  /** Tolerance of the gradient along a direction, relative to the sum of the magnitudes of its terms. Default: 2e-4. */
  gradientTolerance?: number;
  /** Step of the central difference. Default: 1e-4. */
  step?: number;
}

/** Cases of this file so far. */
let cases = 0;

/**
 * Checks an op against its double-precision reference. The output is compared element by element. The gradient is compared along
 * a random direction v: <vjp(dy), v> on the GPU with the central difference of the reference. The first case is also captured, which
 * must give the same bits. In every second case the inputs are views into buffers that hold NaN before and after them, and
 * in every third backward begins with a loss of one number itself, without a given gradient. Leaks, GPU errors and, under a profile with
 * other orders, different bits fail.
 */
export function checkOp(
  name: string,
  op: (...inputs: Tensor[]) => Tensor,
  reference: (...inputs: Values[]) => Values,
  options: CheckOpOptions,
): void;
/** The same for an op with options, which both functions get as their last argument. */
export function checkOp(
  name: string,
  op: (...args: never[]) => Tensor,
  reference: (...args: never[]) => Values,
  options: CheckOpOptions & { options: object },
): void;
export function checkOp(
  name: string,
  op: (...args: never[]) => Tensor,
  reference: (...args: never[]) => Values,
  { shapes, options, ...rest }: CheckOpOptions & { options?: object },
): void {
  const last = options ? [options] : [];
  const shown = options ? `${name} ${JSON.stringify(options)}` : name;
  for (const [index, text] of shapes.entries()) {
    const one: Case = {
      ...rest,
      name: shown,
      op: (...inputs) => op(...([...inputs, ...last] as never[])),
      reference: (...inputs) => reference(...([...inputs, ...last] as never[])),
      shapes: shapesOf(text),
      captured: index === 0,
      alone: cases % 3 === 1,
      views: cases++ % 2 === 1,
    };
    gpuTest(`${shown} of ${text} gives the reference's numbers and gradient`, (gpu) => checkCase(gpu, one));
  }
}

interface Case extends Omit<CheckOpOptions, 'shapes'> {
  name: string;
  op: (...inputs: Tensor[]) => Tensor;
  reference: (...inputs: Values[]) => Values;
  shapes: readonly Shape[];
  captured: boolean;
  /** Whether backward begins with the output if that is one number; else with a random gradient of it. */
  alone: boolean;
  views: boolean;
}

async function checkCase(gpu: Gpu, one: Case): Promise<void> {
  const { name, op, reference, shapes, captured, views, fill = uniform, extra = () => [] } = one;
  const { rtol = 1e-5, atol = 1e-6, gradientTolerance = 2e-4, step = 1e-4 } = one;
  const random = seeded(shapes.flat().reduce((a, b) => a + b, 1));
  const inputs = shapes.map((shape) => fill(shape, random));
  const others = extra(shapes, random);
  const directions = shapes.map((shape) => uniform(shape, random));
  /** The arguments of the reference at inputs + h * directions. */
  const valuesAt = (h: number): Values[] => [
    ...inputs.map((x, i) => ({
      shape: shapes[i]!,
      data: Float64Array.from(x, (v, k) => v + h * directions[i]![k]!),
    })),
    ...others.map((data) => ({ shape: [data.length], data })),
  ];
  const truth = (h: number): Values => reference(...valuesAt(h));
  const expected = truth(0);
  const alone = one.alone && expected.shape.length === 0;
  const dy = alone ? Float32Array.of(1) : uniform(expected.shape, random);

  /** The output and the gradients of the inputs. */
  const computed = async (way: 'eager' | 'captured' = 'eager'): Promise<Float32Array[]> => {
    const make = (data: Float32Array | Uint32Array, shape: Shape) => (views ? guarded : tensor)(gpu, data, shape);
    const leaves = inputs.map((x, i) => make(x, shapes[i]!));
    const upstream = alone ? undefined : tensor(gpu, dy, expected.shape);
    for (const leaf of leaves) leaf.requiresGrad = true;
    const fixed = others.map((data) => make(data, [data.length]));
    const forwardBackward = (): Tensor => {
      zeroGrad(leaves);
      const y = op(...leaves, ...fixed);
      if (!sameShape(y.shape, expected.shape))
        throw new Error(`${name}: output is ${showShape(y.shape)}, expected ${showShape(expected.shape)}`);
      backward(y, upstream);
      return y;
    };
    const step = way === 'captured' ? await capture(gpu, forwardBackward) : undefined;
    step?.run();
    const y = step?.result ?? tidy(forwardBackward);
    const read = await Promise.all([y, ...leaves.map((leaf) => leaf.grad!)].map((x) => x.read()));
    zeroGrad(leaves);
    for (const x of [y, step, upstream, ...leaves, ...fixed]) x?.dispose();
    return read;
  };
  const results = await computed();
  const [y, ...gradients] = results as [Float32Array, ...Float32Array[]];
  assertClose('y', y, expected.data, { rtol, atol });
  const check = (again: Float32Array[] | undefined, what: string) => {
    for (const [i, x] of again?.entries() ?? [])
      assertSameBits(`${i ? `gradient ${i - 1}` : 'y'} ${what}`, results[i]!, x);
  };
  check(await inOwnOrder(gpu, computed), 'in another order');
  if (captured) check(await computed('captured'), 'captured');
  if (one.backward) {
    const wanted = one.backward({ shape: expected.shape, data: dy }, ...valuesAt(0));
    for (const [i, gradient] of gradients.entries())
      assertClose(`gradient ${i}`, gradient, wanted[i]!.data, { rtol, atol });
    return;
  }

  let along = 0;
  let magnitude = 1e-6;
  for (const [i, gradient] of gradients.entries()) {
    for (const [k, g] of gradient.entries()) {
      along += g * directions[i]![k]!;
      magnitude += Math.abs(g * directions[i]![k]!);
    }
  }
  const [plus, minus] = [truth(step).data, truth(-step).data];
  const difference = dy.reduce((sum, g, k) => sum + (g * (plus[k]! - minus[k]!)) / (2 * step), 0);
  if (!(Math.abs(along - difference) <= gradientTolerance * magnitude))
    throw new Error(`<vjp(dy), v> is ${along}, but the central difference of the reference is ${difference}`);
}

/** A tensor in the middle of a buffer of NaN: a kernel that ignores the offset of a view, or adds what lies after it, shows. */
function guarded(gpu: Gpu, data: Float32Array | Uint32Array, shape: Shape): Tensor {
  const around = new Uint32Array(data.length + 128).fill(0x7fc00000);
  around.set(new Uint32Array(data.buffer, data.byteOffset, data.length), 64);
  const whole = tensor(gpu, data instanceof Uint32Array ? around : new Float32Array(around.buffer));
  const view = whole.view(shape, 256);
  whole.dispose();
  return view;
}

type Numbers = number | readonly Numbers[] | Float32Array | Uint32Array;

export interface CheckValuesOptions extends Partial<Tolerance> {
  /** One per tensor of the op. Whole numbers in a Uint32Array are u32 and get no gradient. */
  inputs: readonly Numbers[];
  /** The expected output; all of its elements. */
  y?: ArrayLike<number>;
  /** The gradient of the output; ones by default. */
  dy?: ArrayLike<number>;
  /** The expected gradient of each input that has one. */
  gradients?: readonly ArrayLike<number>[];
}

/** Adds a test of numbers whose results are known: exactly by default, NaN and infinity included. */
export const checkValues = (name: string, op: (...inputs: Tensor[]) => Tensor, options: CheckValuesOptions): void =>
  gpuTest(name, (gpu) => expectValues(gpu, op, options));

/** The body of {@link checkValues}, for tests of several. */
export async function expectValues(
  gpu: Gpu,
  op: (...inputs: Tensor[]) => Tensor,
  { inputs, y, dy, gradients, ...tolerance }: CheckValuesOptions,
): Promise<void> {
  const made = inputs.map((values) => tensor(gpu, values as number[]));
  const leaves = made.filter(({ dtype }) => dtype === 'f32');
  for (const leaf of leaves) leaf.requiresGrad = gradients !== undefined;
  const out = tidy(() => {
    const out = op(...made);
    if (gradients) backward(out, tensor(gpu, Float32Array.from(dy ?? new Array(out.size).fill(1)), out.shape));
    return out;
  });
  const given = `of ${inputs.map(String).join(' and ').slice(0, 80)}`;
  if (y) assertClose(`output ${given}`, out.dtype === 'u32' ? await out.readU32() : await out.read(), y, tolerance);
  if (gradients) {
    assert.is(gradients.length, leaves.length, 'one gradient per f32 input');
    for (const [i, leaf] of leaves.entries())
      assertClose(`gradient ${i} ${given}`, await leaf.grad!.read(), gradients[i]!, tolerance);
  }
  for (const leaf of leaves) leaf.grad?.dispose();
  for (const x of [out, ...made]) x.dispose();
}

/**
 * Adds tests of an op whose factor may be a Scalar: each run of a captured step uses its value, forward and backward, and an eager
 * backward uses the value of its forward. `y` and `dx` are the results for x = 1 and dy = 1.
 */
export function checkScalar(
  name: string,
  op: (x: Tensor, factor: Scalar) => Tensor,
  expected: (value: number) => { y: number; dx: number },
): void {
  const leafOf = (gpu: Gpu): Tensor => {
    const x = tensor(gpu, [1, 2]);
    x.requiresGrad = true;
    return x;
  };
  gpuTest(`${name} by a Scalar uses its value at every run of a captured step, forward and backward`, async (gpu) => {
    const factor = new Scalar(2);
    const [x, dy] = [leafOf(gpu), tensor(gpu, [10, 100])];
    const step = await capture(gpu, () => {
      zeroGrad([x]);
      // gradientReversal returns a view of x, which no run writes; the scaled copy is a result of the step.
      const y = scale(op(x, factor), 1);
      backward(y, dy);
      return { y, dx: x.grad! };
    });
    for (const value of [2, -0.5, 0]) {
      factor.value = value;
      step.run();
      const { y, dx } = expected(value);
      assertClose(`y at ${value}`, await step.result.y.read(), [y, 2 * y]);
      assertClose(`dx at ${value}`, await step.result.dx.read(), [10 * dx, 100 * dx]);
    }
    for (const t of [step, x, dy]) t.dispose();
  });
  gpuTest(`${name} by a Scalar uses the value of its forward in an eager backward`, async (gpu) => {
    const factor = new Scalar(2);
    const x = leafOf(gpu);
    tidy(() => {
      const y = op(x, factor);
      factor.value = 7;
      backward(y, tensor(gpu, [1, 1]));
    });
    const { dx } = expected(2);
    assertClose('dx', await x.grad!.read(), [dx, dx]);
    x.dispose();
  });
}

/**
 * Adds a test that an op refuses what every op refuses: an argument that is no tensor, has the other element type or lives on another
 * Gpu; an unknown option; something else instead of the options object. `tensors` gives the type and shape of its tensors by
 * their names in the op: `{ logits: 'f32 2x2' }`.
 */
export function checkArguments(
  name: string,
  op: (...args: never[]) => unknown,
  tensors: Record<string, string>,
  {
    options,
    more = [],
    anyType = false,
    ignoresMore = false,
  }: {
    /** Options that the op needs; strings like those of `tensors` are made into tensors. Left out if the op has no options. */
    options?: Record<string, unknown>;
    /** Arguments between the tensors and the options. */
    more?: readonly unknown[];
    /** Whether the op takes tensors of either element type. */
    anyType?: boolean;
    /** Whether the op has no options and does not look for any. */
    ignoresMore?: boolean;
  } = {},
): void {
  gpuTest(`${name} refuses what is no tensor, of another type or on another Gpu, and unknown options`, async (gpu) => {
    const other = await createGpu();
    tidy(() => {
      const make = (spec: unknown, on = gpu): unknown => {
        const [, dtype, text] = /^([fu]32) (.*)$/.exec(String(spec)) ?? [];
        if (!dtype) return spec;
        const [shape] = shapesOf(text!);
        const size = sizeOf(shape!);
        return tensor(on, dtype === 'f32' ? new Float32Array(size).fill(0.25) : new Uint32Array(size), shape);
      };
      const made = (specs: Record<string, unknown> = {}) =>
        Object.fromEntries(Object.entries(specs).map(([key, spec]) => [key, make(spec)]));
      const given = made(tensors) as Record<string, Tensor>;
      const last = made(options);
      const call = (args: Record<string, unknown>, ...rest: unknown[]) =>
        op(...([...Object.values(args), ...more, ...rest] as never[]));
      call(given, ...(options ? [last] : []));
      const refuses = (change: Record<string, unknown>, message: RegExp) =>
        assert.throws(() => call({ ...given, ...change }, ...(options ? [last] : [])), message, String(message));
      for (const [key, x] of Object.entries(given)) {
        for (const wrong of [2, 'x', [1, 2], {}, new Float32Array(4), ...(key === 'bias' ? [] : [undefined, null])])
          refuses({ [key]: wrong }, new RegExp(`^${name}: ${key} must be a tensor but is `));
        const otherType = x.dtype === 'f32' ? 'u32' : 'f32';
        const swapped = empty(gpu, x.shape, otherType);
        if (anyType) call({ ...given, [key]: swapped }, ...(options ? [last] : []));
        else refuses({ [key]: swapped }, new RegExp(`^${name}: ${key} must be ${x.dtype} but is ${otherType}$`));
        if (Object.keys(given).length > 1)
          refuses(
            { [key]: empty(other, x.shape, x.dtype) },
            /is on a different Gpu than \w+; all tensors must be on the same one/,
          );
      }
      const unknown = () => call(given, { ...last, foo: 1 });
      if (options) {
        assert.throws(unknown, new RegExp(`^${name}: unknown option foo; its options are`));
        for (const wrong of [0.1, true, 'x', [1], null, given[Object.keys(given)[0]!]])
          assert.throws(() => call(given, wrong), new RegExp(`^${name}: expected an options object `), String(wrong));
      } else if (!ignoresMore) {
        // Numbers are allowed: map and reduce pass an index.
        assert.throws(unknown, new RegExp(`^${name}: unknown option foo; it has no options$`));
        for (const wrong of [true, 'x', null, given[Object.keys(given)[0]!]])
          assert.throws(() => call(given, wrong), new RegExp(`^${name}: expected no further argument but got `));
      }
    });
    other.dispose();
  });
}

/** Adds a test that every call throws an error with the message next to it. */
export function checkRefusals(
  name: string,
  calls: (gpu: Gpu) => readonly (readonly [call: () => unknown, message: RegExp])[],
): void {
  gpuTest(`${name} refuses what does not fit, and says why`, (gpu) => {
    tidy(() => {
      for (const [call, message] of calls(gpu)) assert.throws(call, message, `${call} must throw ${message}`);
    });
  });
}
