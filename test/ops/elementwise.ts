import { backward } from '../../src/autograd.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Shape } from '../../src/shape.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import type { Reference } from '../harness.ts';

/** Shapes of one input that fill workgroups, or miss them by one. */
export const ODD_SHAPES: Shape[][] = [[[1]], [[63]], [[64]], [[65]], [[7, 11, 13]]];

/** The reference of an op that maps each element by itself. */
export const eachElement =
  (f: (x: number) => number) =>
  ([x]: Reference[]): Reference => ({ shape: x!.shape, data: x!.data.map(f) });

/** Shapes of two inputs: equal ones, and all ways to repeat one of them or both. */
export const BROADCAST_SHAPES: Shape[][] = [
  [[1], [1]],
  [[63], [63]],
  [
    [7, 11, 13],
    [7, 11, 13],
  ],
  [[], [2, 3]],
  [[1, 5], [5]],
  [[5, 7], [7]],
  [[7], [65, 7]],
  [
    [5, 7],
    [5, 1],
  ],
  [[4, 1], [3]],
  [
    [4, 3, 5, 2],
    [3, 1, 1],
  ],
  [
    [2, 1, 3, 1],
    [1, 5, 1, 7],
  ],
  [[1009], [1]],
  [[300, 67], [67]],
];

/** The reference of an op that takes two tensors element by element, by PyTorch's rules of broadcasting. */
export const twoElements =
  (f: (a: number, b: number) => number) =>
  ([a, b]: Reference[]): Reference => {
    const rank = Math.max(a!.shape.length, b!.shape.length);
    const padded = [a!, b!].map(({ shape }) => [...new Array(rank - shape.length).fill(1), ...shape] as number[]);
    const shape = padded[0]!.map((n, d) => (n === 1 ? padded[1]![d]! : n));
    const data = new Float64Array(shape.reduce((size, n) => size * n, 1));
    for (let i = 0; i < data.length; i++) {
      let rest = i;
      const places = [0, 0];
      const steps = [1, 1];
      for (let d = rank - 1; d >= 0; d--) {
        const at = rest % shape[d]!;
        rest = Math.floor(rest / shape[d]!);
        for (const k of [0, 1]) {
          const n = padded[k]![d]!;
          if (n > 1) places[k]! += at * steps[k]!;
          steps[k]! *= n;
        }
      }
      data[i] = f(a!.data[places[0]!]!, b!.data[places[1]!]!);
    }
    return { shape, data };
  };

/** What an op makes of numbers, and of their gradient where that of the output is given. */
export async function valuesOf(
  gpu: Gpu,
  op: (...inputs: Tensor[]) => Tensor,
  inputs: readonly (readonly number[])[],
  dy?: readonly number[],
): Promise<{ y: number[]; gradients: number[][] }> {
  const leaves = inputs.map((values) => tensor(gpu, values));
  for (const leaf of leaves) leaf.requiresGrad = true;
  const y = tidy(() => {
    const out = op(...leaves);
    if (dy) backward(out, tensor(gpu, dy, out.shape));
    return out;
  });
  const read = [...(await y.read())];
  const gradients = dy ? await Promise.all(leaves.map(async (leaf) => [...(await leaf.grad!.read())])) : [];
  for (const leaf of leaves) leaf.grad?.dispose();
  for (const t of [y, ...leaves]) t.dispose();
  return { y: read, gradients };
}

/** Windows along one side of an image (PyTorch's pooling_output_shape). */
export function poolCount(
  size: number,
  kernelSize: number,
  stride: number,
  padding: number,
  ceilMode: boolean,
): number {
  const count = Math.floor((size + 2 * padding - kernelSize + (ceilMode ? stride - 1 : 0)) / stride) + 1;
  return ceilMode && (count - 1) * stride >= size + padding ? count - 1 : count;
}
