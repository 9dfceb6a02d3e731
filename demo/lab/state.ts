import type { DeviceBlock } from '../../bench/harness/report.ts';
import type { Row } from '../../bench/harness/row.ts';
import type { VariantRow } from '../../bench/variants.ts';
import type { Peaks } from '../../src/debug/peaks.ts';
import type { AdapterInfo } from '../../src/gpu/device.ts';
import type { Address } from './address.ts';
import type { Check, Fault, Source, Timing, Workload } from './protocol.ts';

/** Draws one part of the state. Called after every change. */
export type View = (state: LabState) => void;

/** The result of the latest run. */
export interface Outcome {
  edited: boolean;
  faults: readonly Fault[];
  checks: readonly Check[];
  timings: readonly Timing[];
  /** Why there is no result. */
  problem: string;
  /** Whether the text has been edited since. */
  stale: boolean;
}

export type Work = 'loading' | 'open' | 'run' | 'bench';

/** A benchmark, and what it measured so far. */
export interface Benchmark {
  rows: readonly Row[];
  cases: number;
  variants: readonly VariantRow[];
  /** Whether everything is measured, so that the visitor can send it. */
  complete: boolean;
}

export const emptyBenchmark: Readonly<Benchmark> = { rows: [], cases: 0, variants: [], complete: false };

/** Everything that the lab shows. */
export interface LabState {
  /** Undefined until the browser answered; null if it has no adapter. */
  device: { info: AdapterInfo; block: DeviceBlock } | null | undefined;
  peaks: Peaks | null;
  workloads: readonly Workload[];
  address: Address | undefined;
  /** The shipped files of the kernel that the address names. */
  sources: readonly Source[];
  /** Edited texts by path. They stay while other ops are shown. */
  edits: ReadonlyMap<string, string>;
  outcome: Outcome | undefined;
  /** The worker's current work; undefined if it is idle. */
  work: Work | undefined;
  bench: Benchmark;
}

export const emptyOutcome: Readonly<Outcome> = {
  edited: false,
  faults: [],
  checks: [],
  timings: [],
  problem: '',
  stale: false,
};

export const emptyState = (): LabState => ({
  device: undefined,
  peaks: null,
  workloads: [],
  address: undefined,
  sources: [],
  edits: new Map(),
  outcome: undefined,
  work: 'loading',
  bench: emptyBenchmark,
});

/** Returns the current text of a file. */
export const textOf = ({ edits }: LabState, { path, text }: Source): string => edits.get(path) ?? text;

/** Returns the file that is shown. */
export const shownFile = ({ sources, address }: LabState): Source | undefined =>
  sources.find(({ path }) => path === address?.file);
