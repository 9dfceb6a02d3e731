import type { Profile, ProfileRow } from '../gpu/profiler.ts';
import { type Peaks, peakGflops } from './peaks.ts';

/** One kernel's row with its rates. */
export interface ReportRow extends ProfileRow {
  /** 1e9 operations per second; null if operations are not counted. */
  gflops: number | null;
  /** 1e9 bytes per second. Each tensor counts once. */
  gbps: number;
  /** Operations per byte; null if operations are not counted. */
  intensity: number | null;
  /** Percent of the measured peak of multiply-adds, or of copied bytes if operations are not counted. */
  percentOfPeak: number | null;
}

/** A profile with rates, as plain JSON. {@link reportTable} makes a table of it. */
export interface ProfileReport {
  clock: Profile['clock'];
  seconds: number;
  dispatches: number;
  peaks: Peaks | null;
  rows: ReportRow[];
}

/** Returns the rate of some work in percent of the adapter's peak; null if the peak is unknown. */
export function percentOfPeak(
  { flops, bytes, seconds }: { flops: number; bytes: number; seconds: number },
  peaks: Peaks | null,
): number | null {
  if (!peaks || !(seconds > 0)) return null;
  const part = flops > 0 ? flops / peakGflops(peaks) : bytes / peaks.copyGbps;
  return (100 * part) / seconds / 1e9;
}

/** Adds rates to a profile, and percentages of the adapter's peaks if they are known. */
export function reportProfile({ rows, events, seconds, clock }: Profile, peaks: Peaks | null = null): ProfileReport {
  return {
    clock,
    seconds,
    dispatches: events.length,
    peaks,
    rows: rows.map((row) => ({
      ...row,
      gflops: row.flops > 0 && row.seconds > 0 ? row.flops / row.seconds / 1e9 : null,
      gbps: row.seconds > 0 ? row.bytes / row.seconds / 1e9 : 0,
      intensity: row.flops > 0 && row.bytes > 0 ? row.flops / row.bytes : null,
      percentOfPeak: percentOfPeak(row, peaks),
    })),
  };
}

/** Returns a report as the cells of a table. The first line holds the names of the columns. */
export function reportTable({ rows, seconds, dispatches }: ProfileReport): string[][] {
  return [
    ['kernel', 'calls', 'ms', 'share', 'MFLOP', 'MB', 'GFLOP/s', 'GB/s', 'flop/byte', '% of peak'],
    ...rows.map((row) => [
      row.kernel,
      String(row.calls),
      (1e3 * row.seconds).toFixed(3),
      `${(100 * row.share).toFixed(1)} %`,
      row.flops > 0 ? (row.flops / 1e6).toFixed(1) : '-',
      (row.bytes / 1e6).toFixed(1),
      row.gflops?.toFixed(1) ?? '-',
      row.gbps.toFixed(1),
      row.intensity?.toFixed(1) ?? '-',
      row.percentOfPeak?.toFixed(1) ?? '-',
    ]),
    ['all', String(dispatches), (1e3 * seconds).toFixed(3), ...new Array<string>(7).fill('')],
  ];
}

/** Returns a profile in Chrome's trace event format, which `chrome://tracing` and Perfetto open. */
export function chromeTrace({ events, clock }: Profile): string {
  const named = (name: string, text: string) => ({ name, ph: 'M', pid: 1, tid: 1, args: { name: text } });
  return JSON.stringify({
    displayTimeUnit: 'ms',
    traceEvents: [
      named('process_name', 'padagrad'),
      named('thread_name', `GPU, by ${clock === 'timestamps' ? 'its timestamps' : 'the wall clock'}`),
      ...events.map(({ kernel, start, seconds, flops, bytes }) => ({
        name: kernel,
        cat: 'gpu',
        ph: 'X',
        pid: 1,
        tid: 1,
        ts: 1e6 * start,
        dur: 1e6 * seconds,
        args: { flops, bytes },
      })),
    ],
  });
}
