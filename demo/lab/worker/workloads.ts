// The lab is a front end of the benchmark: it takes its cases, their references and their measurement from bench/, so that both
// give the same answers. No other part of demo/ imports bench/.
import type { Case } from '../../../bench/harness/case.ts';
import { casesOf } from '../../../bench/harness/suite.ts';
import { benches } from '../../../bench/index.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { Choice, Workload } from '../protocol.ts';
import { PROBLEMS } from '../words.ts';

/** A workload with the benchmark case of each kernel. The last kernel is the shipped one. */
export interface WorkloadCases {
  op: string;
  shape: string;
  kernels: ReadonlyMap<string, Case>;
}

// Ladders whose op has another name.
const OP_OF_LADDER: Readonly<Record<string, string>> = { softmax: 'softmax-column-mean' };
const LADDER = /^ladder-/;

/** Returns all workloads of the benchmark, small and large, whose kernels can be opened. */
export function workloadsOf(gpu: Gpu): WorkloadCases[] {
  const found = new Map<string, WorkloadCases & { kernels: Map<string, Case> }>();
  const cases = [true, false].flatMap((quick) => casesOf(benches, gpu, { quick }));
  for (const one of cases.filter(({ open }) => open)) {
    const name = one.bench.replace(LADDER, '');
    const op = name === one.bench ? name : (OP_OF_LADDER[name] ?? name);
    const key = `${op} ${one.shape}`;
    const workload = found.get(key) ?? { op, shape: one.shape, kernels: new Map<string, Case>() };
    // A ladder ends with the shipped kernel, so it needs no second one.
    if (one.kernel) workload.kernels.delete('shipped');
    if (one.kernel || workload.kernels.size === 0) workload.kernels.set(one.kernel ?? 'shipped', one);
    found.set(key, workload);
  }
  return [...found.values()];
}

export const showWorkload = ({ op, shape, kernels }: WorkloadCases): Workload => ({
  op,
  shape,
  kernels: [...kernels.keys()],
});

/** Returns the case of a kernel. Throws a `RangeError` if there is no such kernel. */
export function caseOf(workloads: readonly WorkloadCases[], { op, shape, kernel }: Choice): Case {
  const found = workloads.find((one) => one.op === op && one.shape === shape)?.kernels.get(kernel);
  if (!found) throw new RangeError(PROBLEMS.unknownKernel(kernel, op, shape));
  return found;
}
