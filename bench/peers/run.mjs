// Measures others' libraries side by side with this one: the same work on the same numbers in one process, turn by turn.
// Every output is compared with a double-precision result before anything is timed.
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import * as ours from '../../.build/bench/peers/ours.mjs';
import { browserLike } from './environment.mjs';
import * as jax from './jax.mjs';
import * as ort from './ort.mjs';
import * as tfjs from './tfjs.mjs';

const USAGE = `bench:peers [--only matmul,softmax,cnn] [--peers jax-js,tfjs-webgpu,ort-web] [--samples 9] [--json | --markdown]
            [--gemm subgroup|workgroup|plain] [--no-subgroups]`;
const WARM_UP = 3;
// Seconds that a sample should last at least: short work is repeated in it.
const SAMPLE = 0.03;
// Milliseconds between signs of life.
const NEWS = 15_000;
// What counts as nothing to do: less than this share of a core over so many milliseconds, looked at so often at most.
const QUIET = 0.1;
const CHECK = 250;
const MOST_CHECKS = 1200;
const ATTEMPTS = 3;

const PEERS = { 'jax-js': jax.open, 'tfjs-webgpu': tfjs.open, 'ort-web': ort.open };
const TOLERANCE = 2e-5;
// Of a training step, by length: two pixels of a window may lie so close that single precision takes the other maximum,
// and a gradient goes another way.
const STEP_TOLERANCE = 1e-2;

const say = (text) => process.stderr.write(`${text}\n`);
const write = (text) => process.stdout.write(`${text}\n`);
const load = () => `load average ${loadavg()[0].toFixed(2)} on ${availableParallelism()} processors`;

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    peers: { type: 'string', default: Object.keys(PEERS).join(',') },
    samples: { type: 'string', default: '9' },
    json: { type: 'boolean' },
    markdown: { type: 'boolean' },
    gemm: { type: 'string' },
    'no-subgroups': { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

async function main() {
  if (flags.help) {
    write(USAGE);
    return 0;
  }
  const wanted = flags.peers.split(',').filter(Boolean);
  const unknown = wanted.find((name) => !PEERS[name]);
  if (unknown) throw new RangeError(`no peer is called ${unknown}; there are ${Object.keys(PEERS).join(', ')}`);
  const tasks = ours
    .tasks()
    .filter(({ bench }) => !flags.only || flags.only.split(',').some((name) => bench.startsWith(name)));
  if (tasks.length === 0) throw new RangeError(`no task is called ${flags.only}`);

  browserLike(await ours.webgpu());
  const sides = [await ours.open({ subgroups: !flags['no-subgroups'], ...(flags.gemm && { gemm: flags.gemm }) })];
  for (const name of wanted) sides.push(await PEERS[name]());
  say(load());
  const rows = [];
  for (const task of tasks) {
    const measured = await measure(task, sides, Number(flags.samples));
    rows.push(...measured);
    if (flags.json) for (const row of measured) write(JSON.stringify({ event: 'row', ...row }));
  }
  report(rows);
  return rows.every((row) => row.verified) ? 0 : 1;
}

async function measure(task, sides, samples) {
  const truth = task.truth();
  const { bench, shape, flops } = task;
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
      // It cannot do this.
      if (!prepared) continue;
      const problem = compare(await prepared.outputs(), truth, bench === 'cnn-step');
      if (problem) rows.push(failed(head, problem));
      else running.push({ head, prepared, seconds: [] });
    } catch (error) {
      rows.push(failed(head, error.message));
    }
  }
  for (const one of running) {
    for (let i = 0; i < WARM_UP; i++) await timed(one.prepared, 1);
    one.times = Math.max(1, Math.ceil(SAMPLE / (await timed(one.prepared, 1))));
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
      gbps: null,
      verified: true,
      // Their time divided by ours.
      ratio: own.head.peer === 'padagrad' ? measured.medianMs / (1e3 * ours.median(own.seconds)) : null,
      load: before,
    });
    await prepared.dispose();
  }
  return rows;
}

/**
 * Waits until this process has nothing to do, and says whether it was so within a second. V8 takes a minute of both cores
 * to optimise onnxruntime-web's WebAssembly once it was called often enough, and all that is timed meanwhile, ours too,
 * shares them with it.
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

/** Says every so often that it waits. */
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
  const header = ['task', 'shape', 'library', 'median ms', 'p5', 'p95', 'GFLOP/s', 'times ours', 'checked'];
  const lines = rows.map((row) =>
    row.verified
      ? [
          row.bench,
          row.shape,
          row.peer,
          ...[row.medianMs, row.p5Ms, row.p95Ms].map(ours.digits),
          row.gflops === null ? '-' : ours.digits(row.gflops),
          row.ratio === null ? '-' : ours.digits(row.ratio),
          'yes',
        ]
      : [row.bench, row.shape, row.peer, 'WRONG', '', '', '', '', `no: ${row.problem}`],
  );
  if (flags.markdown) {
    write(ours.markdownOf(header, lines));
  } else {
    const chars = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };
    const table = new Table({ head: header, chars, style: { head: [], border: [] } });
    table.push(...lines);
    write(table.toString());
  }
  write(`medians of ${flags.samples} samples after ${WARM_UP} warm-ups, turn by turn in one process; ${load()}`);
}

try {
  process.exitCode = await main();
} catch (error) {
  say(`bench:peers: ${error.message}`);
  process.exitCode = error instanceof RangeError ? 2 : 1;
}
// Libraries leave timers and workers behind.
process.exit();
