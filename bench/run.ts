import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import Table from 'cli-table3';
import { Command, CommanderError, Option } from 'commander';
import { precisionOption } from '../src/cli/flags.ts';
import { measurePeaks } from '../src/debug/peaks.ts';
import type { GpuOptions } from '../src/gemm/createGpu.ts';
import { createGpu } from '../src/gemm/createGpu.ts';
import { type Float32MatmulPrecision, SUBGROUP_MATRICES, setFloat32MatmulPrecision } from '../src/gemm/precision.ts';
import type { GemmFamily } from '../src/gemm/settings.ts';
import {
  COLUMNS,
  cellsOf,
  compareRows,
  csvOf,
  deviceBlock,
  deviceLines,
  digits,
  type Earlier,
  EXPLAINED,
  LADDER_COLUMNS,
  ladderCells,
  markdownOf,
  parseRun,
  peakLines,
  stepLines,
} from './harness/report.ts';
import { keyOf, type Row } from './harness/row.ts';
import { casesOf, runSuite } from './harness/suite.ts';
import { benches } from './index.ts';

interface Flags {
  json?: boolean;
  csv?: boolean;
  markdown?: boolean;
  only?: string[];
  quick?: boolean;
  compare?: string;
  gemm?: GemmFamily;
  subgroups: boolean;
  float32MatmulPrecision: Float32MatmulPrecision;
}

const say = (text: string): unknown => process.stderr.write(`${text}\n`);
const write = (text: string): unknown => process.stdout.write(`${text}\n`);

const command = new Command('padagrad bench')
  .description('measure the kernels on this adapter: each row is checked against double precision before it is timed')
  .option('--only <list>', 'benches, or the beginnings of their names: matmul,softmax', (list) => list.split(','))
  .option('--quick', 'small sizes, few samples')
  .addOption(new Option('--json', 'one JSON object a line, a row each').conflicts(['csv', 'markdown']))
  .addOption(new Option('--csv', 'rows with commas').conflicts('markdown'))
  .option('--markdown', 'tables for a document')
  .option('--compare <file>', 'what became slower since this output of --json')
  .addOption(
    new Option('--gemm <family>', 'force a family of matrix kernels').choices(['subgroup', 'workgroup', 'plain']),
  )
  .option('--no-subgroups', 'leave subgroups unused')
  .addOption(precisionOption().default('highest'))
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error/, 'bench')) })
  .exitOverride();

async function main(): Promise<number> {
  const flags = command.parse().opts<Flags>();
  const before = flags.compare ? readRows(flags.compare) : undefined;
  const precision = flags.float32MatmulPrecision;
  const options: GpuOptions = {
    subgroups: flags.subgroups,
    features: precision === 'medium' ? [SUBGROUP_MATRICES] : [],
    ...(flags.gemm && { gemm: flags.gemm }),
  };
  const gpu = await createGpu(options);
  try {
    await setFloat32MatmulPrecision(gpu, precision);
    const cases = casesOf(benches, gpu, flags);
    const block = deviceBlock(gpu);
    if (before?.driver && before.driver !== block.driver)
      say(`bench: ${flags.compare} was measured on ${before.driver}, which is not what is measured now`);
    const load = `${loadavg()[0]!.toFixed(2)} on ${availableParallelism()} processors`;
    if (flags.json) write(JSON.stringify({ event: 'device', ...block, load: loadavg()[0] }));
    const peaks = await measurePeaks(gpu, flags.quick ? 0.02 : 0.1);
    if (flags.json) write(JSON.stringify({ event: 'peaks', ...peaks }));
    else if (!flags.csv)
      show(flags, ['device', ''], [...deviceLines(block), ['load average', load], ...peakLines(peaks)]);
    // What is measured by then is shown all the same.
    const interrupt = new AbortController();
    process.once('SIGINT', () => interrupt.abort());
    let done = 0;
    const { rows, failed } = await runSuite(gpu, cases, peaks, {
      ...flags,
      signal: interrupt.signal,
      onRow: (row) => {
        done++;
        say(`${done}/${cases.length} ${progress(row)}`);
        if (flags.json) write(JSON.stringify({ event: 'row', ...row }));
      },
    });
    if (flags.csv) write(csvOf(rows));
    else if (!flags.json) {
      show(flags, COLUMNS, rows.map(cellsOf));
      write(flags.markdown ? `${EXPLAINED}\n` : EXPLAINED);
      const ladder = ladderCells(rows);
      if (ladder.length > 0) show(flags, LADDER_COLUMNS, ladder);
      for (const line of stepLines(rows)) write(flags.markdown ? `\n${line}` : line);
    }
    if (before) showChanges(flags, rows, before.rows);
    if (flags.json) write(JSON.stringify({ event: 'result', rows: rows.length, failed, clock: peaks.clock }));
    if (failed > 0) say(`bench: ${failed} of ${rows.length} rows have a wrong result, and show no time`);
    return failed > 0 ? 1 : 0;
  } finally {
    gpu.dispose();
  }
}

const progress = (row: Row): string =>
  `${keyOf(row)}: ${row.medianMs === null ? row.problem : `${digits(row.medianMs)} ms`}`;

function readRows(file: string): Earlier {
  try {
    return parseRun(readFileSync(file, 'utf8'));
  } catch (cause) {
    const problem = cause instanceof SyntaxError ? 'it is not what --json prints' : (cause as Error).message;
    throw new RangeError(`--compare ${file}: ${problem}`, { cause });
  }
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
    say('bench: no row was measured both times, so nothing is compared; --only and --quick must be the same');
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
  if (flags.json || flags.csv) for (const line of lines) say(line.join(' '));
  else show(flags, ['bench', 'shape', 'kernel', 'ms before', 'ms now', 'ratio', ''], lines);
  say(`bench: ${slower.length} of ${changes.length} rows became slower`);
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
