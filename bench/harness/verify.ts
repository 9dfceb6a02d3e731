import { mismatch as mismatchWithin, relativeToLargest } from '../../reference/index.ts';
import { gemmSettings } from '../../src/gemm/settings.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';

/** Numbers in double precision, or whatever holds some. */
export type Numbers = ArrayLike<number>;

/** How far off a product may be, as a part of the largest of its numbers, where operands have 11 bits. */
const HALF = 2 ** -8;
/** The same of the gradient of a network as a whole: a pool may then take another of two pixels, and the gradient goes another way. */
const HALF_GRADIENT = 2 ** -4;

/** The tolerance on a Gpu, by the precision of its products. */
export const toleranceOn = (gpu: Gpu, single: number): number =>
  gemmSettings.of(gpu).half ? Math.max(single, HALF) : single;

/**
 * Describes the worst element that is further from the truth than `tolerance` times the truth's largest element; null if there is
 * none.
 */
export const mismatch = (actual: Numbers, truth: Numbers, tolerance: number): string | null =>
  mismatchWithin(actual, truth, relativeToLargest(truth, tolerance));

/** Compares the lengths: null if the difference is no longer than `tolerance` times the truth, else how long it is. */
export function distance(actual: Numbers, truth: Numbers, tolerance: number): string | null {
  if (actual.length !== truth.length) return `${actual.length} elements, expected ${truth.length}`;
  let apart = 0;
  let length = 0;
  for (let i = 0; i < truth.length; i++) {
    apart += (actual[i]! - truth[i]!) ** 2;
    length += truth[i]! ** 2;
  }
  const part = Math.sqrt(apart / length);
  return part <= tolerance ? null : `off by ${part.toPrecision(2)} of its length, allowed ${tolerance}`;
}

/** {@link mismatch} of the gradient of a network; where products are in half precision it is compared as a whole. */
export const gradientMismatch = (gpu: Gpu, actual: Numbers, truth: Numbers, tolerance: number): string | null =>
  gemmSettings.of(gpu).half ? distance(actual, truth, HALF_GRADIENT) : mismatch(actual, truth, tolerance);
