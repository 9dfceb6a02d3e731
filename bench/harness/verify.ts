import { mismatch as mismatchWithin, relativeToLargest } from '../../reference/index.ts';
import { gemmSettings } from '../../src/gemm/settings.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';

/** Numbers, usually in double precision. */
export type Numbers = ArrayLike<number>;

/** The allowed error of a matmul relative to its largest element if operands have 11 bits. */
const HALF = 2 ** -8;
/** The same for the gradient of a whole network: a max-pool may choose another of two close pixels, which moves its gradient. */
const HALF_GRADIENT = 2 ** -4;

/** Returns the tolerance on a Gpu, which depends on the precision of its matmuls. */
export const toleranceOn = (gpu: Gpu, single: number): number =>
  gemmSettings.of(gpu).half ? Math.max(single, HALF) : single;

/**
 * Describes the worst element that is further from the truth than `tolerance` times the truth's largest element; null if there is
 * none.
 */
export const mismatch = (actual: Numbers, truth: Numbers, tolerance: number): string | null =>
  mismatchWithin(actual, truth, relativeToLargest(truth, tolerance));

/** Compares as vectors: returns null if |actual - truth| <= tolerance |truth|, otherwise the relative distance in words. */
export function distance(actual: Numbers, truth: Numbers, tolerance: number): string | null {
  if (actual.length !== truth.length) return `${actual.length} elements, expected ${truth.length}`;
  let apart = 0;
  let length = 0;
  for (let i = 0; i < truth.length; i++) {
    apart += (actual[i]! - truth[i]!) ** 2;
    length += truth[i]! ** 2;
  }
  const part = Math.sqrt(apart / length);
  return part <= tolerance ? null : `the relative distance is ${part.toPrecision(2)}, allowed ${tolerance}`;
}

/** Compares a gradient of a network: element by element, or with half precision as a vector. */
export const gradientMismatch = (gpu: Gpu, actual: Numbers, truth: Numbers, tolerance: number): string | null =>
  gemmSettings.of(gpu).half ? distance(actual, truth, HALF_GRADIENT) : mismatch(actual, truth, tolerance);
