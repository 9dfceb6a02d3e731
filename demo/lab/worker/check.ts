import { type OpenCase, valuesOf } from '../../../bench/harness/openCase.ts';
import { difference } from '../../../bench/harness/verify.ts';
import type { Check } from '../protocol.ts';

// Elements shown: a few before the first wrong one, and more after it.
const BEFORE = 2;
const SHOWN = 8;

/** Compares what the latest run of a case left with what another, opened on the same inputs, knows to be true. */
export async function check(opened: OpenCase, { truths, tolerance }: OpenCase): Promise<Check[]> {
  const checks: Check[] = [];
  for (const [i, [name, result]] of [...opened.results].entries()) {
    const [values, truth] = [await valuesOf(result), truths[i]!];
    const off = difference(values, truth, tolerance);
    const { shape } = result;
    const from = off ? Math.max(0, off.first - BEFORE) : 0;
    const to = off ? Math.min(truth.length, from + SHOWN) : 0;
    checks.push({
      result: name,
      shape,
      count: truth.length,
      wrong: off?.wrong ?? 0,
      allowed: off?.allowed ?? 0,
      elements: Array.from({ length: to - from }, (_, k) => {
        const [actual, expected] = [values[from + k]!, truth[from + k]!];
        const near = Object.is(actual, expected) || Math.abs(actual - expected) <= off!.allowed;
        return { place: placeOf(from + k, shape), actual, expected, wrong: !near };
      }),
    });
  }
  return checks;
}

/** Where an element lies, dimension by dimension. */
export function placeOf(index: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  let left = index;
  for (const size of [...shape].reverse()) {
    place.unshift(left % size);
    left = Math.floor(left / size);
  }
  return place;
}
