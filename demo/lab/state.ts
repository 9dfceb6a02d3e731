import type { DeviceBlock } from '../../bench/harness/report.ts';
import type { Row } from '../../bench/harness/row.ts';
import type { Peaks } from '../../src/debug/peaks.ts';
import type { AdapterInfo } from '../../src/gpu/device.ts';
import type { Address } from './address.ts';
import type { Check, Fault, Source, Subject, Timing } from './protocol.ts';

/** What came of the latest run. */
export interface Outcome {
  edited: boolean;
  faults: readonly Fault[];
  checks: readonly Check[];
  timings: readonly Timing[];
  /** Why there is no result. */
  problem: string;
  /** Whether the text was changed since. */
  stale: boolean;
}

export type Work = 'loading' | 'open' | 'run' | 'bench';

/** All that the page shows. */
export interface State {
  /** Undefined until there is an answer, null if there is none to work with. */
  machine: { info: AdapterInfo; block: DeviceBlock } | null | undefined;
  peaks: Peaks | null;
  subjects: readonly Subject[];
  address: Address | undefined;
  /** Of the kernel that the address names, as they are shipped. */
  sources: readonly Source[];
  /** Texts that are others than the shipped ones, by path; they stay while other ops are looked at. */
  edits: ReadonlyMap<string, string>;
  outcome: Outcome | undefined;
  /** What is under way, if anything. */
  work: Work | undefined;
  bench: { rows: readonly Row[]; cases: number };
}

export const emptyOutcome: Readonly<Outcome> = {
  edited: false,
  faults: [],
  checks: [],
  timings: [],
  problem: '',
  stale: false,
};

export const emptyState = (): State => ({
  machine: undefined,
  peaks: null,
  subjects: [],
  address: undefined,
  sources: [],
  edits: new Map(),
  outcome: undefined,
  work: 'loading',
  bench: { rows: [], cases: 0 },
});

/** The text of a file as it is now. */
export const textOf = ({ edits }: State, { path, text }: Source): string => edits.get(path) ?? text;

/** The file that is shown. */
export const shownFile = ({ sources, address }: State): Source | undefined =>
  sources.find(({ path }) => path === address?.file);

/** Shows a part of the state as it stands; called after every change. */
export type View = (state: State) => void;
