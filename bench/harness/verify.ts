/** Numbers in double precision, or whatever holds some. */
export type Numbers = ArrayLike<number>;

/**
 * Compares every element with the truth: null if none is further off than `tolerance` times the largest number of the
 * truth, else what came out wrong. NaN equals only NaN, infinity only itself.
 */
export function mismatch(actual: Numbers, truth: Numbers, tolerance: number): string | null {
  if (actual.length !== truth.length) return `${actual.length} elements, expected ${truth.length}`;
  let largest = 0;
  for (let i = 0; i < truth.length; i++) {
    const size = Math.abs(truth[i]!);
    if (size > largest && size < Number.POSITIVE_INFINITY) largest = size;
  }
  const allowed = tolerance * largest;
  let worst = 0;
  let at = -1;
  let wrong = 0;
  for (let i = 0; i < truth.length; i++) {
    const [a, b] = [actual[i]!, truth[i]!];
    if (Object.is(a, b) || a === b) continue;
    const error = Math.abs(a - b);
    if (error <= allowed) continue;
    wrong++;
    // NaN is further off than any number.
    if (at >= 0 && error <= worst) continue;
    worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    at = i;
  }
  if (at < 0) return null;
  const part = wrong > 1 ? `, and ${wrong - 1} more of ${truth.length}` : '';
  return `element ${at} is ${actual[at]}, expected ${truth[at]}, allowed error ${allowed.toPrecision(2)}${part}`;
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
