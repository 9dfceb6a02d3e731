/** One line of the bench's table, and one object of `--json`. */
export interface Row {
  /** What is measured: an op, a whole step, a rung of a ladder. */
  bench: string;
  shape: string;
  /** Whose code it is. */
  peer: string;
  /** The kernels that ran. */
  kernel: string;
  /** Caches warm, the median of several samples; null where the result was wrong: then no time is shown. */
  medianMs: number | null;
  p5Ms: number | null;
  p95Ms: number | null;
  /** Once, after the caches were filled with something else. */
  coldMs: number | null;
  gflops: number | null;
  gbps: number | null;
  /** Of the measured multiply-adds where operations are counted, else of the measured copy bandwidth. */
  percentOfPeak: number | null;
  /** Every element of the buffers that were timed was compared with a double-precision result beforehand. */
  verified: boolean;
  /** What came out wrong. */
  problem?: string;
  /** Of one replay of a whole step, counted at the device. */
  dispatches?: number;
  submits?: number;
  bindGroups?: number;
  buffers?: number;
  writeBuffers?: number;
  /** The most bytes of GPU buffers that existed at once. */
  gpuBytes?: number;
  /** From nothing to the end of the first step, pipelines compiled. */
  firstMs?: number;
}

/** A row that carries no time, for its result was wrong. */
export function failedRow(row: Pick<Row, 'bench' | 'shape' | 'peer' | 'kernel'>, problem: string): Row {
  const none = { medianMs: null, p5Ms: null, p95Ms: null, coldMs: null, gflops: null, gbps: null, percentOfPeak: null };
  return { ...row, ...none, verified: false, problem };
}

/** What sets rows of two runs side by side. */
export const keyOf = ({ bench, shape, peer, kernel }: Row): string => [bench, shape, peer, kernel].join(' ');
