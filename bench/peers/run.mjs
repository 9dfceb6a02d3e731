// Measures other libraries side by side with padagrad: the same work on the same numbers, alternating in one process.
// Every output is compared with a double-precision result before it is timed.
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import Table from 'cli-table3';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import * as ours from '../../.build/bench/peers/ours.mjs';
import { browserLike } from './environment.mjs';
import * as jax from './jax.mjs';
import * as ort from './ort.mjs';
import * as torch from './pytorch.mjs';
import * as tfjs from './tfjs.mjs';

const WARM_UP = 3;
// The shortest sample in seconds; short work is repeated.
const SAMPLE = 0.03;
const GUESSES = 3;
// Milliseconds between progress messages.
const NEWS = 15_000;
// The process is quiet if it uses less than QUIET of a core for CHECK milliseconds; wait for at most MOST_CHECKS checks.
const QUIET = 0.1;
const CHECK = 250;
const MOST_CHECKS = 1200;
const ATTEMPTS = 3;

const LIBRARIES = { 'jax-js': jax.open, 'tfjs-webgpu': tfjs.open, 'ort-web': ort.open };
// These need Python with PyTorch, so they run only if they are named.
const PYTORCH = { torch: torch.openEager, 'torch-graphs': torch.openGraphs };
const PEERS = { ...LIBRARIES, ...PYTORCH };
const TOLERANCE = 2e-5;
// For the gradients of a training step as vectors: two pixels of a window may be so close that single precision chooses the other
// maximum, which moves a gradient.
const STEP_TOLERANCE = 1e-2;

const say = (text) => process.stderr.write(`${text}\n`);
const write = (text) => process.stdout.write(`${text}\n`);
const load = () => `load average ${loadavg()[0].toFixed(2)} on ${availableParallelism()} processors`;

const list = (text) => text.split(',').filter(Boolean);
const count = (text) => {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number >= 1.');
};

const command = new Command('bench:peers')
  .description('the same work by other libraries, alternating; every output is compared before it is timed')
  .option('--only <list>', 'only tasks with one of these names or beginnings: matmul,softmax,cnn', list)
  .option(
    '--peers <list>',
    'libraries to compare with padagrad; an empty list measures only padagrad; torch and torch-graphs need Python with PyTorch',
    list,
    Object.keys(LIBRARIES),
  )
  .option('--samples <n>', 'samples per task and library; the table shows medians', count, 9)
  .addOption(new Option('--json', 'print one JSON object per line').conflicts('markdown'))
  .option('--markdown', 'print a Markdown table')
  .addOption(
    new Option('--gemm <family>', "use this family of padagrad's GEMM kernels").choices([
      'subgroup',
      'workgroup',
      'plain',
    ]),
  )
  .option('--no-subgroups', 'do not use subgroups in padagrad')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error/, 'bench:peers')) })
  .exitOverride();
let flags;

async function main() {
  flags = command.parse().opts();
  const unknown = flags.peers.find((name) => !Object.hasOwn(PEERS, name));
  if (unknown)
    throw new RangeError(`no library is called ${unknown}; the libraries are ${Object.keys(PEERS).join(', ')}`);
  const all = ours.tasks();
  const named = (bench, name) => bench === name || bench.startsWith(`${name}-`);
  const none = flags.only?.find((name) => !all.some(({ bench }) => named(bench, name)));
  if (none)
    throw new RangeError(
      `no task is called ${none}; the tasks are ${[...new Set(all.map(({ bench }) => bench))].join(', ')}`,
    );
  const tasks = all.filter(({ bench }) => !flags.only || flags.only.some((name) => named(bench, name)));

  browserLike(await ours.webgpu());
  const sides = [await ours.open({ subgroups: flags.subgroups, ...(flags.gemm && { gemm: flags.gemm }) })];
  for (const name of flags.peers) sides.push(await PEERS[name]());
  say(load());
  const rows = [];
  for (const task of tasks) {
    const measured = await measure(task, sides, flags.samples);
    rows.push(...measured);
    if (flags.json) for (const row of measured) write(JSON.stringify({ event: 'row', ...row }));
  }
  report(rows);
  return rows.every((row) => row.verified) ? 0 : 1;
}

async function measure(task, sides, samples) {
  const truth = task.truth();
  const { bench, shape, flops, bytes } = task;
  const running = [];
  const rows = [];
  for (const { name, prepare } of sides) {
    say(`${bench} ${shape}: ${name}`);
    const head = { bench, shape, peer: name, kernel: '' };
    try {
      const prepared = await patiently(name, async () => {
        const made = await prepare(task);
        await quiet();
        await made?.run(1);
        return made;
      });
      // This library cannot do the task.
      if (!prepared) continue;
      const problem = compare(await prepared.outputs(), truth, bench.endsWith('-step'));
      if (problem) rows.push(failed(head, problem));
      else running.push({ head: { ...head, kernel: prepared.kernel ?? '' }, prepared, seconds: [] });
    } catch (error) {
      rows.push(failed(head, error.message));
    }
  }
  for (const one of running) {
    for (let i = 0; i < WARM_UP; i++) await timed(one.prepared, 1);
    // A single run is mostly waiting, so the time per run is estimated from several runs in one sample.
    one.times = 1;
    for (let i = 0; i < GUESSES; i++) one.times = Math.ceil(SAMPLE / (await timed(one.prepared, one.times)));
  }
  await quiet();
  let before;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    before = loadavg()[0];
    for (const one of running) one.seconds = [];
    for (let i = 0; i < samples; i++) for (const one of running) one.seconds.push(await timed(one.prepared, one.times));
    if (await patiently(`${bench} ${shape} will be timed again: WebAssembly`, quiet)) break;
  }
  const [own] = running;
  for (const { head, prepared, seconds } of running) {
    const measured = ours.times(seconds);
    rows.push({
      ...head,
      ...measured,
      gflops: flops > 0 ? flops / measured.medianMs / 1e6 : null,
      gbps: bytes > 0 ? bytes / measured.medianMs / 1e6 : null,
      verified: true,
      // Their time / ours.
      ratio: own.head.peer === 'padagrad' ? measured.medianMs / (1e3 * ours.median(own.seconds)) : null,
      load: before,
    });
    await prepared.dispose();
  }
  return rows;
}

/**
 * Waits until this process is quiet; returns whether it was quiet within a second. V8 uses both cores for a minute to optimise
 * onnxruntime-web's WebAssembly after enough calls, which would disturb everything that is timed at the same time.
 */
async function quiet() {
  for (let checks = 1; checks < MOST_CHECKS; checks++) {
    const before = process.cpuUsage();
    await setTimeout(CHECK);
    const { user, system } = process.cpuUsage(before);
    if (user + system < 1e3 * CHECK * QUIET) return checks <= 1e3 / CHECK;
  }
  return false;
}

/** Prints a message every 15 s while it waits. */
async function patiently(name, prepare) {
  const begin = performance.now();
  const since = () => Math.round((performance.now() - begin) / 1e3);
  const news = setInterval(() => say(`  ${name} is being compiled, ${since()} s so far`), NEWS);
  try {
    return await prepare();
  } finally {
    clearInterval(news);
  }
}

async function timed(prepared, times) {
  const begin = performance.now();
  await prepared.run(times);
  return (performance.now() - begin) / 1e3 / times;
}

const failed = (head, problem) => ({ ...head, medianMs: null, gflops: null, gbps: null, verified: false, problem });

function compare(outputs, truth, isStep) {
  for (const [name, values] of Object.entries(truth)) {
    if (!outputs[name]) return `${name} is missing`;
    const problem = isStep
      ? ours.distance(outputs[name], values, STEP_TOLERANCE)
      : ours.mismatch(outputs[name], values, TOLERANCE);
    if (problem) return `${name}: ${problem}`;
  }
  return null;
}

function report(rows) {
  if (flags.json) return;
  const header = [
    'task',
    'shape',
    'library',
    'median ms',
    'p5',
    'p95',
    'GFLOP/s',
    'GB/s',
    'their ms / ours',
    'checked',
  ];
  const lines = rows.map((row) =>
    row.verified
      ? [
          row.bench,
          row.shape,
          row.peer,
          ...[row.medianMs, row.p5Ms, row.p95Ms].map(ours.digits),
          ...[row.gflops, row.gbps, row.ratio].map((value) => (value === null ? '-' : ours.digits(value))),
          'yes',
        ]
      : [row.bench, row.shape, row.peer, 'WRONG', '', '', '', '', '', `no: ${row.problem}`],
  );
  if (flags.markdown) {
    write(ours.markdownOf(header, lines));
  } else {
    const chars = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };
    const table = new Table({ head: header, chars, style: { head: [], border: [] } });
    table.push(...lines);
    write(table.toString());
  }
  write(`medians of ${flags.samples} samples after ${WARM_UP} warm-ups, alternating in one process; ${load()}`);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    say(`bench:peers: ${error.message}`);
    process.exitCode = error instanceof RangeError ? 2 : 1;
  }
}
// Libraries leave timers and workers running.
process.exit();
