import { compare as compareNumbers, type Tolerance } from '../../reference/index.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { type Shape, sameShape, showShape } from '../../src/shape.ts';
import { Tensor, tensor } from '../../src/tensor.ts';

/** A tensor in a golden file; NaN is written "nan". */
export interface GoldenTensor {
  shape: number[];
  data: (number | 'nan')[];
}

/** A golden file: what PyTorch or TLlib computed, in double precision. */
export interface GoldenFile extends Tolerance {
  name: string;
  source: string;
  cases: GoldenCase[];
}

// The files hold whatever their op needs: each runner knows the form of its own.
type Json = GoldenTensor | number | string | null | Json[] | { [key: string]: Json };

export interface GoldenCase {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: options of the op, each file its own
  params: Record<string, any>;
  // biome-ignore lint/suspicious/noExplicitAny: tensors and nested lists of them, each file its own
  inputs: Record<string, any>;
  outputs: Record<string, Json>;
  grads: Record<string, Json>;
}

/** What came out, in the form of the file: tensors, numbers, and nested lists and objects of them. */
export type Actual = Tensor | number | readonly Actual[] | { readonly [key: string]: Actual };

/** Computes one case; the tensors it returns are read and disposed by the test. */
export type GoldenRunner = (gpu: Gpu, golden: GoldenCase) => Promise<GoldenResult> | GoldenResult;
export interface GoldenResult {
  outputs: { readonly [key: string]: Actual };
  grads?: { readonly [key: string]: Actual };
}

/** A golden tensor on the GPU. `requiresGrad` is set on request. */
export function load(gpu: Gpu, golden: GoldenTensor, label: string, requiresGrad = false): Tensor {
  const x = tensor(gpu, Float32Array.from(golden.data, Number), golden.shape, label);
  x.requiresGrad = requiresGrad;
  return x;
}

/** Golden labels on the GPU. */
export const loadLabels = (gpu: Gpu, golden: GoldenTensor, label = 'labels'): Tensor =>
  tensor(gpu, Uint32Array.from(golden.data, Number), golden.shape, label);

/** Compares everything with everything: a missing, extra or misshapen part fails. Returns the worst error seen. */
export async function compare(
  where: string,
  actual: Actual | undefined,
  expected: Json,
  tolerance: Tolerance,
): Promise<number> {
  if (actual === undefined) throw new Error(`${where}: missing`);
  if (typeof expected === 'number' || typeof expected === 'string') {
    const value = actual instanceof Tensor ? await actual.item() : actual;
    return check(where, [], [value as number], [], [Number(expected)], tolerance);
  }
  if (isGolden(expected)) {
    const data = actual instanceof Tensor ? await readAny(actual) : [actual as number];
    const shape = actual instanceof Tensor ? actual.shape : [];
    return check(where, shape, data, expected.shape, expected.data.map(Number), tolerance);
  }
  if (actual instanceof Tensor || typeof actual !== 'object')
    throw new Error(`${where}: one value where parts were expected`);
  const keys = Object.keys(expected as object);
  for (const key of Object.keys(actual)) if (!keys.includes(key)) throw new Error(`${where}.${key}: not expected`);
  let worst = 0;
  for (const key of keys) {
    const parts = actual as { readonly [key: string]: Actual };
    const own = Object.hasOwn(parts, key) ? parts[key] : undefined;
    worst = Math.max(
      worst,
      await compare(`${where}.${key}`, own, (expected as { [key: string]: Json })[key]!, tolerance),
    );
  }
  return worst;
}

/** Disposes every tensor in a result. */
export function disposeAll(actual: Actual | undefined): void {
  if (actual instanceof Tensor) actual.dispose();
  else if (typeof actual === 'object') Object.values(actual).forEach(disposeAll);
}

async function readAny(x: Tensor): Promise<ArrayLike<number>> {
  return x.dtype === 'u32' ? await x.readU32() : await x.read();
}

function check(
  where: string,
  shape: Shape,
  data: ArrayLike<number>,
  wanted: Shape,
  expected: number[],
  tolerance: Tolerance,
): number {
  if (!sameShape(shape, wanted)) throw new Error(`${where}: shape ${showShape(shape)}, expected ${showShape(wanted)}`);
  const { worst, at } = compareNumbers(data, expected, tolerance);
  if (worst > 1)
    throw new Error(`${where}[${at}]: ${data[at]}, expected ${expected[at]}: ${worst.toPrecision(3)} of tolerance`);
  return worst;
}

const isGolden = (x: Json): x is GoldenTensor => typeof x === 'object' && x !== null && 'shape' in x && 'data' in x;
