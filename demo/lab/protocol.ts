// The messages between the lab's page and its worker.
import type { DeviceBlock } from '../../bench/harness/report.ts';
import type { Row } from '../../bench/harness/row.ts';
import type { VariantRow } from '../../bench/variants.ts';
import type { Peaks } from '../../src/debug/peaks.ts';
import type { AdapterInfo } from '../../src/gpu/device.ts';

/** An op with a shape, and the names of the kernels that compute it: one, or a ladder that ends with the shipped one. */
export interface Workload {
  op: string;
  shape: string;
  kernels: readonly string[];
}

/** One kernel of one workload. */
export interface Choice {
  op: string;
  shape: string;
  kernel: string;
}

/** A WGSL file that is part of a kernel. */
export interface Source {
  path: string;
  text: string;
}

/** Texts that replace the shipped ones, by path. */
export type Edits = Readonly<Record<string, string>>;

/** A compile error. Lines and columns count from 1; line 0 means that the error has no place in the file. */
export interface Fault {
  path: string;
  line: number;
  column: number;
  length: number;
  text: string;
}

/** An element of a result with its expected value. */
export interface Element {
  /** Its index in each dimension. */
  place: readonly number[];
  actual: number;
  expected: number;
  wrong: boolean;
}

/** The comparison of one result with the float64 reference. */
export interface Check {
  /** `y`, or `dx` for the gradient of an input `x`. */
  result: string;
  shape: readonly number[];
  count: number;
  wrong: number;
  /** The largest accepted error. */
  allowed: number;
  /** Elements around the first wrong one; empty if all are correct. */
  elements: readonly Element[];
}

/** The time of a kernel. */
export interface Timing {
  name: string;
  /** `edited` and `original` are versions of the chosen kernel; `other` is another kernel for the same workload. */
  role: 'edited' | 'original' | 'other';
  row: Row;
}

/** Messages from the page to the worker. */
export type Command =
  /** Comes first, with the peaks if an earlier worker measured them. */
  | { type: 'begin'; peaks: Peaks | null; again: boolean }
  | { type: 'open'; choice: Choice }
  | { type: 'run'; choice: Choice; edits: Edits }
  /** Runs the benchmarks with these names, all if null, on the shipped kernels; then every variant of their GEMM kernels if wanted. */
  | { type: 'bench'; only: readonly string[] | null; quick: boolean; variants: boolean }
  /** Stops the benchmark after the current row. */
  | { type: 'stop' };

/** Messages from the worker to the page. */
export type Report =
  | { type: 'device'; info: AdapterInfo; block: DeviceBlock; workloads: readonly Workload[] }
  | { type: 'opened'; choice: Choice; sources: readonly Source[] }
  /** The worker starts a new phase. If the phase is not over after `patienceMs`, the worker hangs. */
  | { type: 'phase'; text: string; patienceMs: number | null }
  | { type: 'peaks'; peaks: Peaks }
  | { type: 'faults'; faults: readonly Fault[] }
  | { type: 'checked'; edited: boolean; checks: readonly Check[] }
  | { type: 'timed'; timings: readonly Timing[] }
  | { type: 'row'; row: Row; done: number; cases: number }
  | { type: 'variants'; row: VariantRow }
  /** The command is done. */
  | { type: 'idle'; after: 'open' | 'run' | 'bench' }
  | { type: 'failed'; code: string; text: string };
