/** One line of the bench's table and one event of `--json`. */
export interface Row {
  /** The op, the whole step, or the ladder. */
  bench: string;
  shape: string;
  /** The library: `padagrad`, or another one that it is compared with. */
  peer: string;
  /** The kernels that ran, or the rung of the ladder. */
  kernel: string;
  /** Milliseconds with warm caches: median of the samples; null if the result was wrong. */
  medianMs: number | null;
  p5Ms: number | null;
  p95Ms: number | null;
  /** Milliseconds of a run after the caches were filled with other data. */
  coldMs: number | null;
  gflops: number | null;
  gbps: number | null;
  /** Percent of the measured multiply-add peak if operations are counted, otherwise of the measured copy bandwidth. */
  percentOfPeak: number | null;
  /** Whether every element of the results equals double precision; only then the row has times. */
  verified: boolean;
  /** What is wrong. */
  problem?: string;
  /** Calls that one replay of a whole step makes, counted at the device. */
  dispatches?: number;
  submits?: number;
  bindGroups?: number;
  buffers?: number;
  writeBuffers?: number;
  /** The most bytes of GPU buffers that existed at the same time. */
  gpuBytes?: number;
  /** Milliseconds from nothing to the end of the first step, compilation included. */
  firstMs?: number;
}

/** Returns a row without times, because its result was wrong. */
export function failedRow(row: Pick<Row, 'bench' | 'shape' | 'peer' | 'kernel'>, problem: string): Row {
  const none = { medianMs: null, p5Ms: null, p95Ms: null, coldMs: null, gflops: null, gbps: null, percentOfPeak: null };
  return { ...row, ...none, verified: false, problem };
}

/** Identifies the same row in two runs. */
export const keyOf = ({ bench, shape, peer, kernel }: Row): string => [bench, shape, peer, kernel].join(' ');
