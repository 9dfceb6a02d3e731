import { record } from '../../autograd.ts';
import { noOptions } from '../../checks/options.ts';
import type { Kernel } from '../../gpu/kernel.ts';
import { type Shape, showShape, sizeOf } from '../../shape.ts';
import { empty, type GradientRequest, type Tensor } from '../../tensor.ts';
import { expectDtype } from './expect.ts';
import { splitElements } from './split.ts';

/** A dimension of the result: its size n, and the step of each input along it, 0 if the input is repeated there. */
interface Dimension {
  n: number;
  a: number;
  b: number;
}

// As many as the kernel's params can hold.
const MOST_DIMENSIONS = 4;

/**
 * @internal
 * Makes an elementwise op of two tensors from a kernel that is joined with `binary.wgsl` and `rows.wgsl`. Shapes broadcast as in
 * PyTorch. `passes` names the inputs whose slope is 1: if they are not repeated, their gradient is `dy` itself.
 */
export function binary(
  name: string,
  kernel: Kernel<'forward' | 'backward'>,
  passes: { a: boolean; b: boolean },
): (a: Tensor, b: Tensor) => Tensor {
  return (a: Tensor, b: Tensor, options?: unknown) => {
    noOptions(name, options);
    expectDtype(name, 'a', a, 'f32');
    expectDtype(name, 'b', b, 'f32');
    const { shape, dimensions } = broadcast(name, a.shape, b.shape);
    const y = empty(a.gpu, shape, 'f32', name);
    const { size } = y;
    const SAME = Number(a.size === size && b.size === size);
    const steps = Object.fromEntries(
      dimensions.flatMap((dimension, i) => Object.entries(dimension).map(([key, value]) => [`${key}${i}`, value])),
    );
    const { groups, constants } = splitElements(a.gpu, size);
    kernel.forward({ a, b, y }, { size, outs: 0, repeats: 0, ...steps }, groups, { constants: { ...constants, SAME } });

    const gradientOf = (which: 'a' | 'b', x: Tensor, dy: Tensor, i: number, gradient: GradientRequest) => {
      if (!gradient.needs(i)) return null;
      if (passes[which] && x.size === size) return dy.view(x.shape);
      const dx = gradient.into(i);
      const repeats = sizeOf(dimensions.filter((dimension) => dimension[which] === 0).map(({ n }) => n));
      const LANES = 2 ** Math.min(6, Math.max(0, Math.ceil(Math.log2(repeats / 16))));
      kernel.backward({ a, b, dy, dx }, { size, outs: x.size, repeats, ...steps }, Math.ceil((x.size * LANES) / 64), {
        constants: {
          SAME,
          OF_B: i,
          LANES,
        },
      });
      return dx;
    };
    return record(name, [a, b], y, [], (dy, gradient) => [
      gradientOf('a', a, dy, 0, gradient),
      gradientOf('b', b, dy, 1, gradient),
    ]);
  };
}

/**
 * Returns the common shape, and its dimensions for the kernel: neighbouring dimensions in which the same inputs are repeated
 * become one, and sizes of 1 fill up the rest.
 */
function broadcast(name: string, a: Shape, b: Shape): { shape: Shape; dimensions: readonly Dimension[] } {
  const shape: number[] = [];
  const dimensions: Dimension[] = [];
  let stepOfA = 1;
  let stepOfB = 1;
  for (let back = 1; back <= Math.max(a.length, b.length); back++) {
    const [ofA, ofB] = [a.at(-back) ?? 1, b.at(-back) ?? 1];
    const n = ofA === 1 ? ofB : ofA;
    if (ofB !== n && ofB !== 1) {
      throw new TypeError(
        `${name}: a is ${showShape(a)} but b is ${showShape(b)}; counted from the last, sizes must be equal or 1`,
      );
    }
    shape.unshift(n);
    if (n === 1) continue;
    const [stepA, stepB] = [ofA === n ? stepOfA : 0, ofB === n ? stepOfB : 0];
    const inner = dimensions[0];
    if (inner && !inner.a === !stepA && !inner.b === !stepB) inner.n *= n;
    else dimensions.unshift({ n, a: stepA, b: stepB });
    stepOfA *= ofA;
    stepOfB *= ofB;
  }
  if (dimensions.length > MOST_DIMENSIONS) {
    throw new RangeError(
      `${name}: of ${showShape(a)} and ${showShape(b)} dimensions are repeated in ${dimensions.length} turns, but at most ${MOST_DIMENSIONS} are supported; reshape them`,
    );
  }
  while (dimensions.length < MOST_DIMENSIONS) dimensions.unshift({ n: 1, a: 0, b: 0 });
  return { shape, dimensions };
}
