// Prints rows: tables, Markdown, CSV, and comparisons with an earlier run.
import type { Peaks } from '../../src/debug/peaks.ts';
import { gemmFamily } from '../../src/gemm/settings.ts';
import { KERNEL_LIMITS } from '../../src/gpu/device.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { keyOf, type Row } from './row.ts';

/** The device that a run measured. */
export interface DeviceBlock {
  name: string;
  vendor: string;
  driver: string;
  software: boolean;
  features: string[];
  subgroupSize: number;
  gemmFamily: string;
  limits: Record<string, number>;
}

export function deviceBlock(gpu: Gpu): DeviceBlock {
  const { info, features, subgroupSize, limits } = gpu;
  return {
    name: info.device || info.description || 'unnamed',
    vendor: [info.vendor, info.architecture].filter(Boolean).join(', '),
    driver: info.description,
    software: info.software,
    features: [...features].sort(),
    subgroupSize,
    gemmFamily: gemmFamily(gpu),
    limits: Object.fromEntries(KERNEL_LIMITS.map((name) => [name, limits[name]!])),
  };
}

/** Describes the device as lines of name and value. */
export function deviceLines(block: DeviceBlock): [name: string, value: string][] {
  return [
    ['adapter', `${block.name}${block.software ? ' (software)' : ''}`],
    ['vendor', block.vendor || 'unknown'],
    ['driver', block.driver || 'unknown'],
    ['features', block.features.join(', ')],
    ['subgroups', block.subgroupSize > 0 ? `${block.subgroupSize} lanes` : 'not used'],
    ['GEMM kernels', block.gemmFamily],
    ...Object.entries(block.limits).map(([name, value]): [string, string] => [name, value.toLocaleString('en-US')]),
  ];
}

/** Describes the device's peaks as lines of name and value. */
export function peakLines(peaks: Peaks): [name: string, value: string][] {
  const gflops = (value: number | null) => (value === null ? 'none' : `${digits(value)} GFLOP/s`);
  return [
    ['multiply-add, f32', gflops(peaks.scalarGflops)],
    ['multiply-add, vec4<f32>', gflops(peaks.vectorGflops)],
    ['multiply-add, vec4<f16>', gflops(peaks.halfGflops)],
    ['copy, read, write', `${[peaks.copyGbps, peaks.readGbps, peaks.writeGbps].map(digits).join(', ')} GB/s`],
    ['time per dispatch', `${digits(peaks.dispatchUs)} us`],
    ['time per submit', `${digits(peaks.submitUs)} us`],
    ['time per readback', `${digits(peaks.readbackUs)} us`],
    ['clock of kernels', peaks.clock === 'timestamps' ? 'GPU timestamps' : 'wall clock'],
  ];
}

export const COLUMNS = [
  'bench',
  'shape',
  'kernel',
  'median ms',
  'p5',
  'p95',
  'cold',
  'GFLOP/s',
  'GB/s',
  '% of peak',
  'checked',
];

/** Explains the columns. */
export const EXPLAINED =
  'ms: median, 5th and 95th percentile with warm caches; cold: median after other data filled the caches; % of peak: of the ' +
  'multiply-add peak if GFLOP/s are given, otherwise of the copy; checked: every element against double precision before timing';

/** Returns the cells of a row under {@link COLUMNS}. */
export function cellsOf(row: Row): string[] {
  const head = [row.bench, row.shape, row.peer === 'padagrad' ? row.kernel : row.peer];
  if (!row.verified) return [...head, 'WRONG', '', '', '', '', '', '', `no: ${row.problem}`];
  const numbers = [row.medianMs, row.p5Ms, row.p95Ms, row.coldMs, row.gflops, row.gbps, row.percentOfPeak];
  return [...head, ...numbers.map((value) => (value === null ? '-' : digits(value))), 'yes'];
}

/** Describes the calls and the memory of whole steps, a line each. */
export function stepLines(rows: readonly Row[]): string[] {
  return rows
    .filter((row) => row.dispatches !== undefined)
    .map(
      (row) =>
        `${row.bench}, per step: ${row.dispatches} dispatches, ${row.submits} submits, ${row.writeBuffers} writes, ${row.buffers} new buffers, ${row.bindGroups} new bind groups; at most ${((row.gpuBytes ?? 0) / 2 ** 20).toFixed(1)} MiB of GPU memory; first step after ${digits(row.firstMs ?? 0)} ms (including compilation)`,
    );
}

export const LADDER_COLUMNS = ['ladder', 'shape', 'rung', 'ms', 'GFLOP/s', 'vs. previous', 'vs. first'];

/** Returns the gain of each rung of each ladder, as cells under {@link LADDER_COLUMNS}. */
export function ladderCells(rows: readonly Row[]): string[][] {
  const rungs = rows.filter((row) => row.bench.startsWith('ladder-') && row.medianMs !== null);
  return rungs.map((row) => {
    const own = rungs.filter((one) => one.bench === row.bench);
    const gain = (from: Row | undefined) => (from ? `${digits(from.medianMs! / row.medianMs!)}x` : '');
    const speed = row.gflops === null ? '-' : digits(row.gflops);
    return [
      row.bench,
      row.shape,
      row.kernel,
      digits(row.medianMs!),
      speed,
      gain(own[own.indexOf(row) - 1]),
      gain(own[0]),
    ];
  });
}

/** Returns a Markdown table. */
export function markdownOf(header: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...lines.map(line)].join('\n');
}

const CSV_FIELDS = [
  'bench',
  'shape',
  'peer',
  'kernel',
  'medianMs',
  'p5Ms',
  'p95Ms',
  'coldMs',
  'gflops',
  'gbps',
  'percentOfPeak',
  'verified',
  'problem',
  'dispatches',
  'submits',
  'bindGroups',
  'buffers',
  'writeBuffers',
  'gpuBytes',
  'firstMs',
] as const;

/** Returns CSV with a header line. */
export function csvOf(rows: readonly Row[]): string {
  const quoted = (value: unknown) => {
    const text = String(value ?? '');
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [CSV_FIELDS, ...rows.map((row) => CSV_FIELDS.map((field) => row[field]))]
    .map((cells) => cells.map(quoted).join(','))
    .join('\n');
}

export interface Change {
  row: Row;
  oldMs: number;
  /** New time / old time. */
  ratio: number;
  /** Whether it is more than 10 % slower and its p5 is above the earlier p95. */
  slower: boolean;
}

/** Compares the rows that both runs have; the largest slowdown comes first. */
export function compareRows(now: readonly Row[], before: readonly Row[]): Change[] {
  const known = new Map(before.map((row) => [keyOf(row), row]));
  return now
    .flatMap((row) => {
      const old = known.get(keyOf(row));
      if (!old?.medianMs || !row.medianMs) return [];
      const ratio = row.medianMs / old.medianMs;
      return [{ row, oldMs: old.medianMs, ratio, slower: ratio > 1.1 && (row.p5Ms ?? 0) > (old.p95Ms ?? 0) }];
    })
    .sort((a, b) => b.ratio - a.ratio);
}

/** Shows three significant digits. */
export const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value < 0.001 ? value.toExponential(1) : value.toPrecision(3);
