// The form of golden files (a case passes if |a - b| <= atol + rtol |b|), and how a result is compared with one.

import { compare, mismatch, type Tolerance, type Values } from '../../reference/index.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { sameShape, showShape } from '../../src/shape.ts';
import { Tensor, tensor } from '../../src/tensor.ts';

/** A tensor in a golden file; NaN is written "nan". */
export interface GoldenTensor {
  shape: number[];
  data: (number | 'nan')[];
}

/** A golden file: what PyTorch or TLlib computed in double precision. */
export interface GoldenFile extends Tolerance {
  name: string;
  source: string;
  cases: GoldenCase[];
}

// Every file holds what its op needs; its runner knows the form.
export type Json = GoldenTensor | number | string | null | Json[] | { [key: string]: Json };

export interface GoldenCase {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: options of the op, different in every file
  params: Record<string, any>;
  // biome-ignore lint/suspicious/noExplicitAny: tensors and nested lists of them, different in every file
  inputs: Record<string, any>;
  outputs: Record<string, Json>;
  grads: Record<string, Json>;
}

/** A result: tensors, arrays on the host, numbers, and nested lists and objects of them. */
export type Actual = Tensor | Values | number | readonly Actual[] | { readonly [key: string]: Actual };

/** Computes one case. The caller reads and disposes the tensors that it returns. */
export type GoldenRunner = (gpu: Gpu, golden: GoldenCase) => Promise<GoldenResult> | GoldenResult;
export interface GoldenResult {
  outputs: { readonly [key: string]: Actual };
  grads?: { readonly [key: string]: Actual };
}

const isU32 = (name: string): boolean => /labels$/.test(name);

/** Makes a golden tensor on the GPU: u32 if its name ends in `labels`, else f32. */
export function load(gpu: Gpu, golden: GoldenTensor, name: string, requiresGrad = false): Tensor {
  const data = isU32(name) ? Uint32Array.from(golden.data, Number) : Float32Array.from(golden.data, Number);
  const x = tensor(gpu, data, golden.shape, name);
  x.requiresGrad = requiresGrad;
  return x;
}

/** Compares a result with a golden one. A missing, extra or misshapen part throws. Returns the worst error, 1 being the tolerance. */
export async function compareGolden(
  where: string,
  actual: Actual | undefined,
  expected: Json,
  tolerance: Tolerance,
): Promise<number> {
  if (actual === undefined) throw new Error(`${where}: missing`);
  if (typeof expected !== 'object' || isGolden(expected)) {
    const golden = isGolden(expected) ? expected : { shape: null, data: [Number(expected)] };
    const { shape, data } = await valuesOf(where, actual);
    if (golden.shape && !sameShape(shape, golden.shape))
      throw new Error(`${where}: shape ${showShape(shape)}, expected ${showShape(golden.shape)}`);
    const numbers = golden.data.map(Number);
    const wrong = mismatch(data, numbers, tolerance);
    if (wrong) throw new Error(`${where}: ${wrong}`);
    return compare(data, numbers, tolerance).worst;
  }
  if (actual instanceof Tensor || typeof actual !== 'object' || isValues(actual))
    throw new Error(`${where}: one value, expected parts`);
  const parts = actual as { readonly [key: string]: Actual };
  const wanted = expected as { [key: string]: Json };
  for (const key of Object.keys(parts))
    if (!Object.hasOwn(wanted, key)) throw new Error(`${where}.${key}: not expected`);
  let worst = 0;
  for (const [key, part] of Object.entries(wanted)) {
    const own = Object.hasOwn(parts, key) ? parts[key] : undefined;
    worst = Math.max(worst, await compareGolden(`${where}.${key}`, own, part, tolerance));
  }
  return worst;
}

/** Disposes every tensor of a result. */
export function disposeAll(actual: Actual | undefined): void {
  if (actual instanceof Tensor) actual.dispose();
  else if (typeof actual === 'object' && !isValues(actual)) Object.values(actual).forEach(disposeAll);
}

async function valuesOf(where: string, actual: Actual): Promise<Values> {
  if (actual instanceof Tensor)
    return { shape: actual.shape, data: actual.dtype === 'u32' ? await actual.readU32() : await actual.read() };
  if (typeof actual === 'number') return { shape: [], data: [actual] };
  if (isValues(actual)) return actual;
  throw new Error(`${where}: parts, expected one value`);
}

const isValues = (x: Actual): x is Values => typeof x === 'object' && 'shape' in x && 'data' in x;
const isGolden = (x: Json): x is GoldenTensor => typeof x === 'object' && x !== null && 'shape' in x && 'data' in x;
