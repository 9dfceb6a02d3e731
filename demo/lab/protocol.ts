import type { DeviceBlock } from '../../bench/harness/report.ts';
import type { Row } from '../../bench/harness/row.ts';
import type { Peaks } from '../../src/debug/peaks.ts';
import type { AdapterInfo } from '../../src/gpu/device.ts';

/** Work that the bench has, with the kernels that do it: one, or the rungs of a ladder with the shipped one at the end. */
export interface Subject {
  op: string;
  shape: string;
  kernels: readonly string[];
}

/** Which kernel is meant. */
export interface Choice {
  op: string;
  shape: string;
  kernel: string;
}

/** A WGSL file that a kernel is joined of. */
export interface Source {
  path: string;
  text: string;
}

/** Texts in place of the shipped ones, by path. */
export type Edits = Readonly<Record<string, string>>;

/** What a compiler says of a file; lines and columns count from 1, line 0 is no line of it. */
export interface Fault {
  path: string;
  line: number;
  column: number;
  length: number;
  text: string;
}

/** Some elements of a result, beside what they should be. */
export interface Element {
  /** Where it lies, dimension by dimension. */
  place: readonly number[];
  actual: number;
  expected: number;
  wrong: boolean;
}

/** One result of a kernel against double precision. */
export interface Check {
  /** `y`, or `dx` for the gradient of an input `x`. */
  result: string;
  shape: readonly number[];
  count: number;
  wrong: number;
  /** How far off an element may be. */
  allowed: number;
  /** From a little before the first wrong element on; empty where all is right. */
  elements: readonly Element[];
}

/** A kernel's time. */
export interface Timing {
  name: string;
  /** `edited` and `original` are of one kernel; `rung` is another one for the same work. */
  role: 'edited' | 'original' | 'rung';
  row: Row;
}

/** What the page tells the worker. */
export type Command =
  /** Comes first; the peaks where an earlier worker measured them. */
  | { type: 'begin'; peaks: Peaks | null; again: boolean }
  | { type: 'open'; choice: Choice }
  | { type: 'run'; choice: Choice; edits: Edits }
  /** Measures benches by name (all without names) as they are shipped. */
  | { type: 'bench'; only: readonly string[] | null; quick: boolean }
  /** Ends the bench after the row under way. */
  | { type: 'stop' };

/** What the worker tells the page. */
export type Report =
  | { type: 'machine'; info: AdapterInfo; block: DeviceBlock; subjects: readonly Subject[] }
  | { type: 'opened'; choice: Choice; sources: readonly Source[] }
  /** What is done now; when it is not done in so many milliseconds it will never be. */
  | { type: 'phase'; text: string; patienceMs: number | null }
  | { type: 'peaks'; peaks: Peaks }
  | { type: 'faults'; faults: readonly Fault[] }
  | { type: 'checked'; edited: boolean; checks: readonly Check[] }
  | { type: 'timed'; timings: readonly Timing[] }
  | { type: 'row'; row: Row; done: number; cases: number }
  /** Nothing is under way any more. */
  | { type: 'idle'; after: 'open' | 'run' | 'bench' }
  | { type: 'failed'; code: string; text: string };
