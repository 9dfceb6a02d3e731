// The instructions of compiled kernels, and the dispatches of the steps, as recorded in docs/figures/kernels.json. Compilers count
// the instructions of the code; a prediction needs those that are executed, so this file knows how often the loops run:
//
//   GEMM          the loop over k runs k / STEP times, and the loop that adds up a tile STEP * BLOCK^2 / (its multiply-adds) times in
//                 each round; an invocation computes BLOCK x BLOCK elements, and a tile holds STEP steps of k. If the compiler
//                 unrolls the inner loop, a round is the whole loop over k
//   other kernels a loop that reads memory runs until the workgroups have moved the bytes of all tensors; all others are unrolled
import recorded from '../../docs/figures/kernels.json';
import type { StepWork, Work } from './dispatches.ts';
import type { Executed, KernelWork } from './predict.ts';

/** Counts of the instructions per invocation, in the order of `kinds` in the recording. */
type Counts = readonly number[];

/** A compiled pipeline. */
export interface CompiledKernel {
  invocations: number;
  /** Bytes of workgroup memory, and of registers per invocation. */
  lds: number;
  registerBytes: number;
  /** The code that runs once; the loops over memory, and the words that the one with the most moves per round. */
  once: Counts;
  loop?: Counts;
  words?: number;
  /** GEMMs: the tile, a round of the loop over k, and the loop in it, which `round` leaves out. An unrolled one is part of `round`. */
  gemm?: { rows: number; columns: number; step: number };
  round?: Counts;
  inner?: Counts;
}

export interface Family {
  driver: string;
  lanes: number;
  pipelines: Readonly<Record<string, CompiledKernel>>;
  steps: Readonly<Record<string, StepWork>>;
}

const { families, ...origin } = recorded as unknown as {
  families: Readonly<Record<string, Family>>;
  date: string;
  commit: string;
  command: string;
};

/** When, from which commit and by which command the counts were recorded. */
export const countsOrigin: Readonly<Record<'date' | 'commit' | 'command', string>> = origin;

/** Returns the recorded family: `navi31` or `dg2`. */
export function familyOf(name: string): Family {
  const family = families[name];
  if (family) return family;
  throw new RangeError(`bench: no kernels are recorded for ${name}; there are ${Object.keys(families).join(', ')}`);
}

/** Returns what a prediction needs to know of a dispatch. */
export function kernelWork(kernel: CompiledKernel, work: Work, footprint: number): KernelWork {
  const { invocations, lds, registerBytes } = kernel;
  const shared = { workgroups: work.workgroups, invocations, workgroupBytes: lds, registerBytes, footprint };
  return { ...shared, bytes: work.bytes, executed: kernel.gemm ? ofGemm(kernel, work.k!) : ofLoops(kernel, work) };
}

function ofGemm({ gemm, invocations, once, round, inner }: CompiledKernel, k: number): Executed {
  const { rows, columns, step } = gemm!;
  const rounds = Math.ceil(k / step);
  const elements = (rows * columns) / invocations;
  const turns = inner ? (step * elements) / inner[0]! : 0;
  // Each round loads blocks of 4 x 4 of both operands. The code has a branch for either; an invocation takes this share of them.
  const carried = ((rows + columns) * step) / 16 / (2 * invocations);
  const taken = inner ? add(scaled(round!, carried), scaled(inner, turns)) : withLoads(round!, carried);
  // 8 x 8 sums with a block of each operand per invocation: the next tile is loaded during the multiply-adds, so only the first one
  // is waited for.
  const isPrefetched = elements === 64 && carried === 1;
  // A tile is read four steps of k at a time, between two barriers.
  const nearWaits = rounds * (2 + step / 4);
  return { ...executedOf(add(once, scaled(taken, rounds))), memoryWaits: isPrefetched ? 2 : rounds + 1, nearWaits };
}

/** Returns a round of which the branches that load a block of each operand are taken by a share of the invocations. */
function withLoads([fma, other, memoryWords, nearWords, barriers]: Counts, share: number): Counts {
  const notStored = 2 * 16 * (1 - share);
  // The other instructions of the branches cannot be told from those around them. All count.
  return [fma!, other!, share * memoryWords!, nearWords! - notStored, barriers!];
}

function ofLoops({ invocations, once, loop, words = 0 }: CompiledKernel, { workgroups, bytes }: Work): Executed {
  const perInvocation = bytes / 4 / (workgroups * invocations);
  const rounds = words > 0 ? Math.max(1, perInvocation / words) : 0;
  const barriers = once[4]! + rounds * (loop?.[4] ?? 0);
  // An address that is loaded itself makes two reads that wait for each other.
  const waits = { memoryWaits: 2 + rounds, nearWaits: barriers };
  return { ...executedOf(add(once, scaled(loop ?? once, rounds))), ...waits };
}

const scaled = (counts: Counts, by: number): Counts => counts.map((count) => by * count);

const add = (a: Counts, b: Counts): Counts => a.map((count, i) => count + b[i]!);

const executedOf = ([fma, other, memoryWords, nearWords]: Counts) => ({
  ...{ fma: fma!, other: other!, memoryWords: memoryWords!, nearWords: nearWords! },
});
