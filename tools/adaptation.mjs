// Records how well the methods adapt: every task, method and seed is one run of the command line in its own process. Each
// result is saved in docs/figures/adaptation.json at once, so an interrupted recording continues where it stopped.
//
//   node build.mjs programs && node tools/adaptation.mjs [--data DIR] [--tasks a,b] [--methods a,b] [--seeds 0,1,2] [--fresh]
//
// Runs go side by side, one per two cores. --fresh drops the earlier results of the chosen tasks. tools/figures.mjs writes the tables of the documents from the file.
// The tasks with USPS need its IDX files in --data, resized from 16x16 to 28x28 with bilinear interpolation. They are not in the
// repository, because no licence is stated.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLI = join(ROOT, '.build/cli/padagrad.mjs');
const RESULTS = join(ROOT, 'docs/figures/adaptation.json');
const METHODS = ['source-only', 'dann', 'pada', 'self-training'];

const usps = (split) => `idx:DATA/usps28-${split}`;
const toUsps = [
  '--source',
  'mnist',
  '--source-limit',
  '6000',
  '--target',
  usps('train'),
  '--target-test',
  usps('test'),
];
const fromUsps = ['--source', usps('train'), '--source-test', usps('test')];
// Digits of other fonts, which the figures of PyTorch come from.
const fromPrint = ['--source', 'idx:DATA/fontdigits-train'];
const toMnist = ['--target', 'mnist', '--target-limit', '6000'];

// `reference` is PyTorch 1.13, of source-only, DANN and PADA with TLlib: [mean, standard deviation] of three seeds, or [one run].
const TASKS = [
  {
    name: 'mnist-usps',
    title: 'MNIST -> USPS 0-4',
    arguments: toUsps,
    targetClasses: '0-4',
    reference: { 'source-only': [57.4, 10.4], dann: [62.0, 3.7], pada: [93.6, 1.0], 'self-training': [97.8] },
  },
  {
    name: 'usps-mnist',
    title: 'USPS -> MNIST 0-4',
    arguments: [...fromUsps, ...toMnist],
    targetClasses: '0-4',
    reference: { 'source-only': [70.2, 4.4], dann: [63.5, 6.3], pada: [93.0, 3.8], 'self-training': [99.4, 0.2] },
  },
  {
    name: 'fontdigits-mnist',
    title: 'font digits -> MNIST 0-4',
    arguments: ['--source', 'fontdigits', '--source-limit', '6000', ...toMnist],
    targetClasses: '0-4',
    reference: {},
  },
  {
    name: 'print-mnist',
    title: 'printed digits -> MNIST 0-4',
    arguments: [...fromPrint, ...toMnist],
    targetClasses: '0-4',
    reference: { 'source-only': [90.7, 0.4], dann: [68.6, 2.7], pada: [95.7, 3.6], 'self-training': [99.1] },
  },
  {
    name: 'print-usps',
    title: 'printed digits -> USPS 0-4',
    arguments: [...fromPrint, '--target', usps('train'), '--target-test', usps('test')],
    targetClasses: '0-4',
    reference: { 'source-only': [48.1], dann: [52.7], pada: [91.7], 'self-training': [97.6, 0.4] },
  },
  {
    name: 'mnist-usps-5-9',
    title: 'MNIST -> USPS 5-9',
    arguments: toUsps,
    targetClasses: '5-9',
    reference: { 'source-only': [20.4], dann: [46.2], pada: [44.7, 24.5], 'self-training': [98.3, 0.3] },
  },
  {
    name: 'print-mnist-5-9',
    title: 'printed digits -> MNIST 5-9',
    arguments: [...fromPrint, ...toMnist],
    targetClasses: '5-9',
    reference: { 'self-training': [98.0, 0.4] },
  },
  {
    name: 'usps-mnist-5-9',
    title: 'USPS -> MNIST 5-9',
    arguments: [...fromUsps, ...toMnist],
    targetClasses: '5-9',
    reference: { 'self-training': [98.3, 0.7] },
  },
  {
    name: 'mnist-usps-1-7',
    title: 'MNIST -> USPS 1, 7',
    arguments: toUsps,
    targetClasses: '1,7',
    reference: { 'self-training': [98.8] },
  },
  {
    name: 'mnist-usps-0-9',
    title: 'MNIST -> USPS 0-9',
    arguments: toUsps,
    targetClasses: '0-9',
    reference: { 'self-training': [96.5, 0.6] },
  },
  {
    name: 'emoji',
    title: 'emoji, Twemoji -> Noto, 5 of 12 kinds',
    arguments: ['--source', 'emoji-twemoji', '--target', 'emoji-noto'],
    targetClasses: '0-4',
    reference: { 'source-only': [54.7, 3.3], dann: [44.4, 1.9], pada: [70.4, 0.3] },
  },
];

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: join(ROOT, 'data') },
    tasks: { type: 'string', default: TASKS.map(({ name }) => name).join() },
    methods: { type: 'string', default: METHODS.join() },
    seeds: { type: 'string', default: '0,1,2' },
    fresh: { type: 'boolean', default: false },
  },
});

const say = (text) => process.stderr.write(`${text}\n`);
const listed = (text) => text.split(',').filter(Boolean);
const round = (x, digits) => Number(x.toFixed(digits));
const mean = (list) => list.reduce((sum, x) => sum + x, 0) / list.length;
const deviation = (list) =>
  list.length < 2 ? null : Math.sqrt(list.reduce((sum, x) => sum + (x - mean(list)) ** 2, 0) / (list.length - 1));

/** The recorded results, with a place for every task. */
function load() {
  const recorded = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')).tasks : [];
  return TASKS.map((task) => {
    const { recordings = [], methods = {} } = recorded.find(({ name }) => name === task.name) ?? {};
    return { ...task, recordings, methods };
  });
}

function save(tasks) {
  const text = JSON.stringify({ tasks }, null, 2);
  // An array of numbers or words stays on one line.
  const compact = text.replace(/\[\s+([^[\]{}]*?)\s+\]/g, (_, list) => `[${list.replace(/\s+/g, ' ')}]`);
  writeFileSync(`${RESULTS}.tmp`, `${compact}\n`);
  renameSync(`${RESULTS}.tmp`, RESULTS);
}

/** One run in its own process: the `start` and `result` events. */
async function train(task, method, seed) {
  const data = task.arguments.map((argument) => argument.replace('DATA', resolve(values.data)));
  const options = ['--target-classes', task.targetClasses, '--method', method, '--seed', seed, '--json'];
  const child = spawn(process.execPath, [CLI, 'train', ...data, ...options.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = new Promise((done) => child.on('close', done));
  const events = {};
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    events[event.event] = event;
  }
  const code = await exit;
  if (code !== 0) throw new Error(`adaptation: ${task.name}, ${method}, seed ${seed}: exit code ${code}`);
  return events;
}

const commit = execFileSync('git', ['rev-parse', '--short=7', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
const date = new Date().toISOString().slice(0, 10);
const tasks = load();
const chosen = tasks.filter(({ name }) => listed(values.tasks).includes(name));
if (values.fresh) for (const task of chosen) Object.assign(task, { recordings: [], methods: {} });
const missing = chosen.flatMap((task) =>
  listed(values.methods).flatMap((method) =>
    listed(values.seeds)
      .map(Number)
      .filter((seed) => !task.methods[method]?.runs.some((run) => run.seed === seed))
      .map((seed) => ({ task, method, seed })),
  ),
);

async function record({ task, method, seed }) {
  say(`${task.title}, ${method}, seed ${seed}`);
  const { start, result } = await train(task, method, seed);
  const run = {
    seed,
    targetAccuracy: round(result.targetAccuracy, 2),
    sourceAccuracy: result.sourceAccuracy === null ? null : round(result.sourceAccuracy, 2),
    classWeight: result.classWeight.map((weight) => round(weight, 4)),
  };
  const all = [...(task.methods[method]?.runs ?? []), run].sort((a, b) => a.seed - b.seed);
  const accuracies = all.map(({ targetAccuracy }) => targetAccuracy);
  const spread = deviation(accuracies);
  task.methods[method] = {
    iterations: result.iterations,
    mean: round(mean(accuracies), 2),
    deviation: spread === null ? null : round(spread, 2),
    runs: all,
  };
  const device = start.device.device || start.device.description;
  if (!task.recordings.some((one) => one.commit === commit && one.date === date))
    task.recordings.push({ date, commit, device, load: round(loadavg()[0], 1) });
  save(tasks);
}

const worker = async () => {
  for (let next = missing.shift(); next; next = missing.shift()) await record(next);
};
await Promise.all(Array.from({ length: Math.max(1, Math.floor(availableParallelism() / 2)) }, worker));
