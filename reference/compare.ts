// The one rule by which two arrays of numbers are equal: |a - b| <= atol + rtol |b| for every element. NaN equals only NaN, and
// infinity only the same infinity.

export interface Tolerance {
  rtol: number;
  atol: number;
}

export interface Comparison {
  /** The largest |a - b| / (atol + rtol |b|); infinite for a NaN or an infinity that is not expected. */
  worst: number;
  /** The index of the element with the largest error. */
  at: number;
  /** The index of the first element above the tolerance; -1 if there is none. */
  first: number;
  /** How many elements are above the tolerance. */
  wrong: number;
}

/** Compares every element of two arrays of the same length. */
export function compare(actual: ArrayLike<number>, expected: ArrayLike<number>, { rtol, atol }: Tolerance): Comparison {
  let [worst, at, first, wrong] = [0, 0, -1, 0];
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i]!;
    const b = expected[i]!;
    if (Object.is(a, b) || a === b) continue;
    const finite = Number.isFinite(a) && Number.isFinite(b);
    const error = finite ? Math.abs(a - b) / (atol + rtol * Math.abs(b)) : Number.POSITIVE_INFINITY;
    if (error > worst) [worst, at] = [error, i];
    if (error > 1 && wrong++ === 0) first = i;
  }
  return { worst, at, first, wrong };
}

/** Describes the worst element of two arrays that differ, or their lengths; null if they are equal within the tolerance. */
export function mismatch(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: Tolerance): string | null {
  if (actual.length !== expected.length) return `${actual.length} elements, expected ${expected.length}`;
  const { worst, at, wrong } = compare(actual, expected, tolerance);
  if (wrong === 0) return null;
  const others = wrong > 1 ? `; ${wrong} of ${expected.length} elements are wrong` : '';
  return `element ${at} is ${actual[at]}, expected ${expected[at]} (${worst.toPrecision(3)} of tolerance)${others}`;
}

/** The tolerance for arrays whose error grows with their largest finite element, such as matmuls: `part` of that element. */
export function relativeToLargest(expected: ArrayLike<number>, part: number): Tolerance {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const size = Math.abs(expected[i]!);
    if (size > largest && size < Number.POSITIVE_INFINITY) largest = size;
  }
  return { rtol: 0, atol: part * largest };
}
