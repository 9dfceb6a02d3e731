import { type OpenCase, valuesOf } from '../../../bench/harness/openCase.ts';
import { compare, relativeToLargest } from '../../../reference/index.ts';
import type { Check } from '../protocol.ts';

// Number of elements that a check lists, and how many of them come before the first wrong one.
const SHOWN = 8;
const BEFORE = 2;

/** Compares the results of a case's latest run with the reference of another case, opened on the same inputs. */
export async function check(opened: OpenCase, { truths, tolerance }: OpenCase): Promise<Check[]> {
  const checks: Check[] = [];
  for (const [i, [name, result]] of [...opened.results].entries()) {
    const [values, truth] = [await valuesOf(result), truths[i]!];
    const allowed = relativeToLargest(truth, tolerance);
    const { first, wrong } = compare(values, truth, allowed);
    const { shape } = result;
    const from = Math.max(0, first - BEFORE);
    const to = wrong > 0 ? Math.min(truth.length, from + SHOWN) : from;
    checks.push({
      result: name,
      shape,
      count: truth.length,
      wrong,
      allowed: wrong > 0 ? allowed.atol : 0,
      elements: Array.from({ length: to - from }, (_, k) => {
        const [actual, expected] = [values[from + k]!, truth[from + k]!];
        const off = compare([actual], [expected], allowed).wrong > 0;
        return { place: placeOf(from + k, shape), actual, expected, wrong: off };
      }),
    });
  }
  return checks;
}

/** Returns an element's index in each dimension. */
export function placeOf(index: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  let left = index;
  for (const size of [...shape].reverse()) {
    place.unshift(left % size);
    left = Math.floor(left / size);
  }
  return place;
}
