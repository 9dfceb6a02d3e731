import type { Case } from '../../../bench/harness/case.ts';
import { casesOf } from '../../../bench/harness/suite.ts';
import { benches } from '../../../bench/index.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { Choice, Subject } from '../protocol.ts';

/** A subject's cases, each of a kernel; the last is the one that is shipped. */
export interface Cases {
  op: string;
  shape: string;
  kernels: ReadonlyMap<string, Case>;
}

// The op that a ladder leads to, where it is not called by its name.
const LEADS_TO: Readonly<Record<string, string>> = { softmax: 'softmax-column-mean' };
const LADDER = /^ladder-/;

/** All work of the bench that can be looked into, small sizes and large ones, by op. */
export function subjectsOf(gpu: Gpu): Cases[] {
  const found = new Map<string, Cases & { kernels: Map<string, Case> }>();
  const cases = [true, false].flatMap((quick) => casesOf(benches, gpu, { quick }));
  for (const one of cases.filter(({ open }) => open)) {
    const climbed = one.bench.replace(LADDER, '');
    const op = climbed === one.bench ? climbed : (LEADS_TO[climbed] ?? climbed);
    const key = `${op} ${one.shape}`;
    const subject = found.get(key) ?? { op, shape: one.shape, kernels: new Map<string, Case>() };
    // A ladder has the shipped kernel as its last rung, and needs no second one.
    if (one.kernel) subject.kernels.delete('shipped');
    if (one.kernel || subject.kernels.size === 0) subject.kernels.set(one.kernel ?? 'shipped', one);
    found.set(key, subject);
  }
  return [...found.values()];
}

export const showSubject = ({ op, shape, kernels }: Cases): Subject => ({ op, shape, kernels: [...kernels.keys()] });

/** @throws RangeError if there is no such kernel */
export function caseOf(subjects: readonly Cases[], { op, shape, kernel }: Choice): Case {
  const found = subjects.find((one) => one.op === op && one.shape === shape)?.kernels.get(kernel);
  if (!found) throw new RangeError(`there is no kernel '${kernel}' for ${op} ${shape}`);
  return found;
}
