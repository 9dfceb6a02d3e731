// `npm run bench` and `padagrad bench`: measures the kernels and prints or records the rows.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { Command, CommanderError, Option } from 'commander';
import { measurePeaks } from '../src/debug/peaks.ts';
import { createGpu, type GpuOptions } from '../src/gemm/createGpu.ts';
import {
  type Float32MatmulPrecision,
  SUBGROUP_MATRICES,
  setFloat32MatmulPrecision,
  useSubgroupMatrices,
} from '../src/gemm/precision.ts';
import type { GemmFamily } from '../src/gemm/variants.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import type { Case } from './harness/case.ts';
import { type Earlier, parseRun, recordingOf } from './harness/recording.ts';
import {
  COLUMNS,
  cellsOf,
  compareRows,
  csvOf,
  deviceBlock,
  deviceLines,
  digits,
  EXPLAINED,
  LADDER_COLUMNS,
  ladderCells,
  markdownOf,
  peakLines,
  stepLines,
} from './harness/report.ts';
import { keyOf, type Row } from './harness/row.ts';
import { casesOf, runSuite } from './harness/suite.ts';
import { benches } from './index.ts';
import { checkAdapter, type Processors } from './model/check.ts';
import { devicesOf } from './model/devices.ts';
import { recordedModel, showDevice, showVariants } from './model/show.ts';
import { measureVariants, subjectsOf, VARIANT_COLUMNS, type VariantRow, variantCells } from './variants.ts';

interface Flags {
  /** true: events on stdout; a path: a recording in that file. */
  json?: true | string;
  csv?: boolean;
  markdown?: boolean;
  only?: string[];
  quick?: boolean;
  compare?: string;
  gemm?: GemmFamily;
  subgroups: boolean;
  variants?: boolean;
  /** true: predictions for every known GPU; a text: for those with such a name. */
  model?: true | string;
  float32MatmulPrecision: Float32MatmulPrecision;
  subgroupMatrices?: true;
}

const say = (text: string): unknown => process.stderr.write(`${text}\n`);
const write = (text: string): unknown => process.stdout.write(`${text}\n`);

const command = new Command('padagrad bench')
  .description('measure the kernels on this adapter; every result is compared with double precision before it is timed')
  .option('--only <list>', 'only benches with one of these names or beginnings: matmul,softmax', (list) =>
    list.split(','),
  )
  .option('--quick', 'small sizes, few samples')
  .addOption(
    new Option('--json [file]', 'print one JSON object per line, or record the run in a file').conflicts([
      'csv',
      'markdown',
    ]),
  )
  .addOption(new Option('--csv', 'print CSV').conflicts('markdown'))
  .option('--markdown', 'print Markdown tables')
  .option('--compare <file>', 'compare with an earlier output of --json')
  .addOption(
    new Option('--gemm <family>', 'use this family of GEMM kernels').choices(['subgroup', 'workgroup', 'plain']),
  )
  .option('--no-subgroups', 'do not use subgroups')
  .addOption(
    new Option(
      '--variants',
      'also time every variant of the GEMM kernels, and show how far the chosen one is from the fastest',
    ).conflicts('csv'),
  )
  .addOption(
    new Option(
      '--model [device]',
      'print predicted times of GPUs that need not be here; `adapter` compares predictions with measurements of this one',
    ).conflicts(['csv', 'compare', 'only', 'quick']),
  )
  .addOption(
    new Option('--float32-matmul-precision <which>', 'precision of matmuls; medium rounds operands to half precision')
      .choices(['highest', 'medium'])
      .default('highest'),
  )
  .addOption(
    new Option('--subgroup-matrices', "multiply by the GPU's subgroup matrices of f32 (Apple; untested)").conflicts([
      'gemm',
      'model',
      'float32MatmulPrecision',
    ]),
  )
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error/, 'bench')) })
  .exitOverride();

async function main(): Promise<number> {
  const flags = command.parse().opts<Flags>();
  if (flags.model && flags.model !== 'adapter') return model(flags);
  const before = flags.compare ? readRows(flags.compare) : undefined;
  const precision = flags.float32MatmulPrecision;
  const options: GpuOptions = {
    subgroups: flags.subgroups,
    features: precision === 'medium' || flags.subgroupMatrices ? [SUBGROUP_MATRICES] : [],
    // The predictions are of the kernels for GPUs.
    ...((flags.gemm ?? flags.model) && { gemm: flags.gemm ?? 'workgroup' }),
  };
  const gpu = await createGpu(options);
  try {
    await setFloat32MatmulPrecision(gpu, precision);
    if (flags.subgroupMatrices) await useSubgroupMatrices(gpu);
    const cases = casesOf(benches, gpu, flags);
    const device = deviceBlock(gpu);
    if (before?.driver && before.driver !== device.driver)
      say(`bench: ${flags.compare} was measured with another driver (${before.driver})`);
    const load = loadavg()[0]!;
    if (flags.model) {
      await checkAdapter(gpu, PROCESSORS, (header, lines) => show(flags, header, lines), write);
      return 0;
    }
    const events = flags.json === true;
    const tables = !events && !flags.csv;
    if (events) write(JSON.stringify({ event: 'device', ...device, load }));
    const peaks = await measurePeaks(gpu, flags.quick ? 0.02 : 0.1);
    if (events) write(JSON.stringify({ event: 'peaks', ...peaks }));
    if (tables) {
      const average = `${load.toFixed(2)} on ${availableParallelism()} processors`;
      show(flags, ['device', ''], [...deviceLines(device), ['load average', average], ...peakLines(peaks)]);
    }
    // After Ctrl-C the rows so far are still shown.
    const interrupt = new AbortController();
    process.once('SIGINT', () => interrupt.abort());
    let done = 0;
    const { rows, failed, ...suite } = await runSuite(gpu, cases, peaks, {
      ...flags,
      signal: interrupt.signal,
      onRow: (row) => {
        done++;
        say(`${done}/${cases.length} ${progress(row)}`);
        if (events) write(JSON.stringify({ event: 'row', ...row }));
      },
    });
    if (flags.csv) write(csvOf(rows));
    if (tables) showTables(flags, rows);
    const { variants, lost = suite.lost } =
      flags.variants && !suite.lost ? await variantsOf(gpu, flags, cases, interrupt.signal) : {};
    if (typeof flags.json === 'string')
      writeFileSync(flags.json, recordingOf({ ...origin(), device, load, peaks, rows, ...(variants && { variants }) }));
    if (before) showChanges(flags, rows, before.rows);
    if (events) write(JSON.stringify({ event: 'result', rows: rows.length, failed, clock: peaks.clock }));
    if (lost) say(`bench: stopped after ${rows.length} rows: ${lost.message}`);
    if (failed > 0) say(`bench: ${failed} of ${rows.length} rows gave wrong results and were not timed`);
    const wrong = (variants ?? []).filter((row) => row.variants.some(({ ms }) => ms === null)).length;
    if (wrong > 0) say(`bench: ${wrong} shapes have variants with wrong results, which were not timed`);
    return failed + wrong > 0 || lost ? 1 : 0;
  } finally {
    gpu.dispose();
  }
}

const THREADS = '/proc/self/task';
const threadsNow = (): string[] => (existsSync(THREADS) ? readdirSync(THREADS) : []);
const atStart = new Set(threadsNow());

/** The processors of a software adapter: Linux counts the time of its threads, which start later than Node's. */
const PROCESSORS: Processors = {
  count: availableParallelism(),
  seconds: () => {
    const later = threadsNow().filter((thread) => !atStart.has(thread));
    if (later.length === 0) return undefined;
    const nanoseconds = later.map((thread) =>
      Number(readFileSync(`${THREADS}/${thread}/schedstat`, 'utf8').split(' ')[0]),
    );
    return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e9;
  },
};

/** Prints or records predictions. */
function model(flags: Flags): number {
  const devices = devicesOf(flags.model === true ? '' : flags.model);
  if (flags.json === true) write(JSON.stringify({ event: 'model', ...recordedModel() }));
  else if (flags.json) writeFileSync(flags.json, `${JSON.stringify({ ...origin(), ...recordedModel() })}\n`);
  else
    for (const device of devices)
      (flags.variants ? showVariants : showDevice)(device, (header, lines) => show(flags, header, lines), write);
  return 0;
}

/** Measures and prints the variants of the GEMM kernels. */
async function variantsOf(
  gpu: Gpu,
  flags: Flags,
  cases: readonly Case[],
  signal: AbortSignal,
): Promise<{ variants: VariantRow[]; lost?: Error }> {
  const rows: VariantRow[] = [];
  let lost: Error | undefined;
  const onRow = (row: VariantRow) => {
    rows.push(row);
    say(variantCells(row).join('  '));
    if (flags.json === true) write(JSON.stringify({ event: 'variants', ...row }));
  };
  await measureVariants(gpu, subjectsOf(cases), { onRow, signal }).catch((error: Error) => {
    lost = error;
  });
  if (flags.json !== true) show(flags, VARIANT_COLUMNS, rows.map(variantCells));
  const worst = Math.max(0, ...rows.map(({ regret }) => regret ?? 0));
  say(`bench: the largest regret of ${rows.length} shapes is ${(100 * worst).toFixed(0)} %`);
  return { variants: rows, ...(lost && { lost }) };
}

/** Returns when, from which commit, by which command and where the run was made. */
function origin(): { date: string; commit: string | null; command: string; runtime: string } {
  const clone = fileURLToPath(new URL('../..', import.meta.url));
  // An installed package has no build.mjs, and the commit of the repository around it means nothing.
  const commit = existsSync(`${clone}/build.mjs`)
    ? execFileSync('git', ['describe', '--always', '--dirty', '--exclude', '*'], {
        cwd: clone,
        encoding: 'utf8',
      }).trim()
    : null;
  const date = new Date().toISOString().slice(0, 10);
  const args = process.argv.slice(2).filter((arg, i, all) => !arg.startsWith('--json') && all[i - 1] !== '--json');
  const runtime = `Node ${process.versions.node} on ${process.platform} ${process.arch}`;
  return { date, commit, command: ['npm run bench --', ...args].join(' '), runtime };
}

const progress = (row: Row): string =>
  `${keyOf(row)}: ${row.medianMs === null ? row.problem : `${digits(row.medianMs)} ms`}`;

function readRows(file: string): Earlier {
  try {
    return parseRun(readFileSync(file, 'utf8'));
  } catch (cause) {
    const problem = cause instanceof SyntaxError ? 'it is not output of --json' : (cause as Error).message;
    throw new RangeError(`--compare ${file}: ${problem}`, { cause });
  }
}

function showTables(flags: Flags, rows: readonly Row[]): void {
  show(flags, COLUMNS, rows.map(cellsOf));
  write(flags.markdown ? `${EXPLAINED}\n` : EXPLAINED);
  const ladder = ladderCells(rows);
  if (ladder.length > 0) show(flags, LADDER_COLUMNS, ladder);
  for (const line of stepLines(rows)) write(flags.markdown ? `\n${line}` : line);
}

function show({ markdown }: Flags, header: readonly string[], lines: readonly (readonly string[])[]): void {
  if (markdown) {
    write(`${markdownOf(header, lines)}\n`);
    return;
  }
  const chars = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };
  const table = new Table({ head: [...header], chars, style: { head: [], border: [] } });
  table.push(...lines.map((line) => [...line]));
  write(table.toString());
}

function showChanges(flags: Flags, rows: readonly Row[], before: readonly Row[]): void {
  const changes = compareRows(rows, before);
  if (changes.length === 0) {
    say('bench: the two runs have no rows in common; use the same --only and --quick');
    return;
  }
  const slower = changes.filter((change) => change.slower);
  const lines = changes.map(({ row, oldMs, ratio, slower }) => [
    row.bench,
    row.shape,
    row.kernel,
    digits(oldMs),
    digits(row.medianMs!),
    digits(ratio),
    slower ? 'slower' : '',
  ]);
  if (flags.json === true || flags.csv) for (const line of lines) say(line.join(' '));
  else show(flags, ['bench', 'shape', 'kernel', 'ms before', 'ms now', 'ratio', ''], lines);
  say(`bench: ${slower.length} of ${changes.length} rows are slower`);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    say(`bench: ${(error as Error).message}`);
    process.exitCode = error instanceof RangeError ? 2 : 1;
  }
}
