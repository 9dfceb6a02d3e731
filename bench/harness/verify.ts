import type { Gpu } from '../../src/gpu/gpu.ts';

/** Numbers in double precision, or whatever holds some. */
export type Numbers = ArrayLike<number>;

/** How far off a product may be, as a part of the largest of its numbers, where operands have 11 bits. */
const HALF = 2 ** -8;
/** The same of the gradient of a network as a whole: a pool may then take another of two pixels, and the gradient goes another way. */
const HALF_GRADIENT = 2 ** -4;

/** The tolerance on a Gpu, by the precision of its products. */
export const toleranceOn = ({ halfFamily }: Gpu, single: number): number =>
  halfFamily ? Math.max(single, HALF) : single;

/** How a result is off: its first wrong element, the one furthest off, how many there are, and how far off one may be. */
export interface Difference {
  first: number;
  worst: number;
  wrong: number;
  allowed: number;
}

/**
 * Compares every element with the truth, of the same length: null if none is further off than `tolerance` times the
 * largest number of the truth. NaN equals only NaN, infinity only itself.
 */
export function difference(actual: Numbers, truth: Numbers, tolerance: number): Difference | null {
  let largest = 0;
  for (let i = 0; i < truth.length; i++) {
    const size = Math.abs(truth[i]!);
    if (size > largest && size < Number.POSITIVE_INFINITY) largest = size;
  }
  const allowed = tolerance * largest;
  let [furthest, first, worst, wrong] = [0, -1, -1, 0];
  for (let i = 0; i < truth.length; i++) {
    const [a, b] = [actual[i]!, truth[i]!];
    if (Object.is(a, b) || a === b) continue;
    const error = Math.abs(a - b);
    if (error <= allowed) continue;
    if (wrong++ === 0) first = i;
    // NaN is further off than any number.
    if (worst >= 0 && error <= furthest) continue;
    furthest = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    worst = i;
  }
  return wrong > 0 ? { first, worst, wrong, allowed } : null;
}

/** {@link difference} in words, or that the lengths differ; null if all is right. */
export function mismatch(actual: Numbers, truth: Numbers, tolerance: number): string | null {
  if (actual.length !== truth.length) return `${actual.length} elements, expected ${truth.length}`;
  const found = difference(actual, truth, tolerance);
  if (!found) return null;
  const { worst, wrong, allowed } = found;
  const part = wrong > 1 ? `, and ${wrong - 1} more of ${truth.length}` : '';
  return `element ${worst} is ${actual[worst]}, expected ${truth[worst]}, allowed error ${allowed.toPrecision(2)}${part}`;
}

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
  gpu.halfFamily ? distance(actual, truth, HALF_GRADIENT) : mismatch(actual, truth, tolerance);
