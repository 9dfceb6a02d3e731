import type { Peaks } from '../../src/debug/peaks.ts';
import { gemmFamily } from '../../src/gemm/settings.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { keyOf, type Row } from './row.ts';

/** What a run was made on. */
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

const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
];

export function deviceBlock(gpu: Gpu): DeviceBlock {
  const { info, features, subgroupSize, limits } = gpu;
  return {
    name: info.device || info.description || 'without a name',
    vendor: [info.vendor, info.architecture].filter(Boolean).join(', '),
    driver: info.description,
    software: info.software,
    features: [...features].sort(),
    subgroupSize,
    gemmFamily: gemmFamily(gpu),
    limits: Object.fromEntries(LIMITS.map((name) => [name, limits[name]!])),
  };
}

/** Lines of name and value. */
export function deviceLines(block: DeviceBlock): [name: string, value: string][] {
  return [
    ['adapter', `${block.name}${block.software ? ' (software)' : ''}`],
    ['vendor', block.vendor || 'not said'],
    ['driver', block.driver || 'not said'],
    ['features', block.features.join(', ')],
    ['subgroups', block.subgroupSize > 0 ? `${block.subgroupSize} lanes` : 'not used'],
    ['matrix kernels', block.gemmFamily],
    ...Object.entries(block.limits).map(([name, value]): [string, string] => [name, value.toLocaleString('en-US')]),
  ];
}

export function peakLines(peaks: Peaks): [name: string, value: string][] {
  const gflops = (value: number | null) => (value === null ? 'none' : `${digits(value)} GFLOP/s`);
  return [
    ['multiply-add, f32', gflops(peaks.scalarGflops)],
    ['multiply-add, vec4<f32>', gflops(peaks.vectorGflops)],
    ['multiply-add, vec4<f16>', gflops(peaks.halfGflops)],
    ['copy, read, write', `${[peaks.copyGbps, peaks.readGbps, peaks.writeGbps].map(digits).join(', ')} GB/s`],
    ['a dispatch', `${digits(peaks.dispatchUs)} us`],
    ['a submit', `${digits(peaks.submitUs)} us`],
    ['a readback', `${digits(peaks.readbackUs)} us`],
    ['clock of kernels', peaks.clock === 'timestamps' ? 'timestamps of the GPU' : 'wall clock'],
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

/** What the columns say. */
export const EXPLAINED =
  'ms: of one run with warm caches, the median, 5th and 95th percentile of the samples; cold: after the caches were filled with something else; ' +
  '% of peak: of the faster f32 multiply-add where GFLOP/s are given, else of the copy; checked: every element against double precision, before it was timed';

/** A row as the cells under {@link COLUMNS}. */
export function cellsOf(row: Row): string[] {
  const head = [row.bench, row.shape, row.peer === 'padagrad' ? row.kernel : row.peer];
  if (!row.verified) return [...head, 'WRONG', '', '', '', '', '', '', `no: ${row.problem}`];
  const numbers = [row.medianMs, row.p5Ms, row.p95Ms, row.coldMs, row.gflops, row.gbps, row.percentOfPeak];
  return [...head, ...numbers.map((value) => (value === null ? '-' : digits(value))), 'yes'];
}

/** What the rows of whole steps say besides; a line each. */
export function stepLines(rows: readonly Row[]): string[] {
  return rows
    .filter((row) => row.dispatches !== undefined)
    .map(
      (row) =>
        `${row.bench}, of one step: dispatches ${row.dispatches}, submits ${row.submits}, writes ${row.writeBuffers}, buffers made ${row.buffers}, bind groups made ${row.bindGroups}; at most ${((row.gpuBytes ?? 0) / 2 ** 20).toFixed(1)} MiB of GPU memory; first step after ${digits(row.firstMs ?? 0)} ms, compiled and all`,
    );
}

export const LADDER_COLUMNS = ['ladder', 'shape', 'rung', 'ms', 'GFLOP/s', 'over the last', 'over the first'];

/** What each rung of each ladder gains, as the cells under {@link LADDER_COLUMNS}. */
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

export function markdownOf(header: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...lines.map(line)].join('\n');
}

/** What `--json` prints, an object a line. */
export function jsonOf(block: DeviceBlock, peaks: Peaks, rows: readonly Row[]): string {
  const events = [
    { event: 'device', ...block },
    { event: 'peaks', ...peaks },
    ...rows.map((row) => ({ event: 'row', ...row })),
    { event: 'result', rows: rows.length, failed: rows.filter((row) => !row.verified).length, clock: peaks.clock },
  ];
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
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

export function csvOf(rows: readonly Row[]): string {
  const quoted = (value: unknown) => {
    const text = String(value ?? '');
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [CSV_FIELDS, ...rows.map((row) => CSV_FIELDS.map((field) => row[field]))]
    .map((cells) => cells.map(quoted).join(','))
    .join('\n');
}

/** What is read back out of `--json`: the rows, and the driver that they were measured on, if it is said. */
export interface Earlier {
  rows: Row[];
  driver: string | undefined;
}

/** Reads what `--json` printed. @throws SyntaxError if it is something else */
export function parseRun(text: string): Earlier {
  const events = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Partial<Row> & { driver?: string });
  const rows = events.filter((event): event is Row => typeof event.bench === 'string');
  if (rows.length === 0) throw new SyntaxError('there are no rows in it; it must be what --json printed');
  return { rows, driver: events.find(({ driver }) => driver)?.driver };
}

export interface Change {
  row: Row;
  oldMs: number;
  /** Above 1 is slower than before. */
  ratio: number;
  /** More than a tenth slower, and its fastest samples slower than the slowest before. */
  slower: boolean;
}

/** Rows that both runs have, the most slowed down first. */
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

/** Three digits that matter. */
export const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value < 0.001 ? value.toExponential(1) : value.toPrecision(3);
