// Records how well the methods adapt: every task, method and seed is one run of the command line in its own process. Each
// result is saved in docs/figures/adaptation.json at once, so an interrupted recording continues where it stopped.
//
//   node build.mjs programs && node tools/adaptation.mjs [--data DIR] [--tasks a,b] [--methods a,b] [--seeds 0,1,2] [--keep DIR] [--fresh]
//
// Runs go side by side, one per two cores. --fresh drops the earlier results of the chosen tasks and methods. With --keep, runs are
// saved in a folder; the seeds of a method that are kept there are then compared with `padagrad select`. tools/figures.mjs writes
// the tables of the documents from the file.
// The tasks with USPS need its IDX files in --data, resized from 16x16 to 28x28 with bilinear interpolation. They are not in the
// repository, because no licence is stated.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLI = join(ROOT, '.build/cli/padagrad.mjs');
const RESULTS = join(ROOT, 'docs/figures/adaptation.json');
const METHODS = ['source-only', 'dann', 'iwan', 'afn', 'mcc', 'ba3us', 'pada', 'self-training'];
// Methods with options of their own. They are recorded only if --methods names them.
const VARIANTS = {
  'pada-jitter': ['pada', '--source-jitter', 'colour'],
  'source-only-jitter': ['source-only', '--source-jitter', 'colour'],
  'self-training-long': ['self-training', '--iterations', '1500'],
  'self-training-as-is': ['self-training', '--geometry', 'none'],
};

// The digits of print are of other fonts: those that the figures of PyTorch come from.
const MNIST = '--source mnist --source-limit 6000';
const USPS = '--source idx:DATA/usps28-train --source-test idx:DATA/usps28-test';
const PRINT = '--source idx:DATA/fontdigits-train';
const TO_MNIST = '--target mnist --target-limit 6000';
const TO_USPS = '--target idx:DATA/usps28-train --target-test idx:DATA/usps28-test';

// PyTorch 1.13, of source-only, DANN and PADA with TLlib: [mean, standard deviation] of three seeds, or [one run].
const PYTORCH = {
  'mnist-usps': { 'source-only': [57.4, 10.4], dann: [62.0, 3.7], pada: [93.6, 1.0], 'self-training': [97.8] },
  'usps-mnist': { 'source-only': [70.2, 4.4], dann: [63.5, 6.3], pada: [93.0, 3.8], 'self-training': [99.4, 0.2] },
  'print-mnist': { 'source-only': [90.7, 0.4], dann: [68.6, 2.7], pada: [95.7, 3.6], 'self-training': [99.1] },
  'print-usps': { 'source-only': [48.1], dann: [52.7], pada: [91.7], 'self-training': [97.6, 0.4] },
  'mnist-usps-5-9': { 'source-only': [20.4], dann: [46.2], pada: [44.7, 24.5], 'self-training': [98.3, 0.3] },
  'print-mnist-5-9': { 'self-training': [98.0, 0.4] },
  'usps-mnist-5-9': { 'self-training': [98.3, 0.7] },
  'mnist-usps-1-7': { 'self-training': [98.8] },
  'mnist-usps-0-9': { 'self-training': [96.5, 0.6] },
  emoji: {
    'source-only': [54.7, 3.3],
    'source-only-jitter': [57.8, 2.9],
    dann: [44.4, 1.9],
    pada: [70.4, 0.3],
    'pada-jitter': [73.9, 3.5],
  },
};
// Name, title, data, target classes.
const TASKS = [
  ['mnist-usps', 'MNIST -> USPS 0-4', `${MNIST} ${TO_USPS}`, '0-4'],
  ['usps-mnist', 'USPS -> MNIST 0-4', `${USPS} ${TO_MNIST}`, '0-4'],
  ['fontdigits-mnist', 'font digits -> MNIST 0-4', `--source fontdigits --source-limit 6000 ${TO_MNIST}`, '0-4'],
  ['print-mnist', 'printed digits -> MNIST 0-4', `${PRINT} ${TO_MNIST}`, '0-4'],
  ['print-usps', 'printed digits -> USPS 0-4', `${PRINT} ${TO_USPS}`, '0-4'],
  ['mnist-usps-5-9', 'MNIST -> USPS 5-9', `${MNIST} ${TO_USPS}`, '5-9'],
  ['print-mnist-5-9', 'printed digits -> MNIST 5-9', `${PRINT} ${TO_MNIST}`, '5-9'],
  ['usps-mnist-5-9', 'USPS -> MNIST 5-9', `${USPS} ${TO_MNIST}`, '5-9'],
  ['mnist-usps-1-7', 'MNIST -> USPS 1, 7', `${MNIST} ${TO_USPS}`, '1,7'],
  ['mnist-usps-0-9', 'MNIST -> USPS 0-9', `${MNIST} ${TO_USPS}`, '0-9'],
  ['emoji', 'emoji, Twemoji -> Noto, 5 of 12 kinds', '--source emoji-twemoji --target emoji-noto', '0-4'],
].map(([name, title, data, targetClasses]) => {
  return { name, title, arguments: data.split(' '), targetClasses, reference: PYTORCH[name] ?? {} };
});

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: join(ROOT, 'data') },
    tasks: { type: 'string', default: TASKS.map(({ name }) => name).join() },
    methods: { type: 'string', default: METHODS.join() },
    seeds: { type: 'string', default: '0,1,2' },
    keep: { type: 'string' },
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
    const { recordings = [], methods = {}, selection } = recorded.find(({ name }) => name === task.name) ?? {};
    return { ...task, recordings, methods, selection };
  });
}

function save(tasks) {
  const text = JSON.stringify({ tasks }, null, 2);
  // An array of numbers or words stays on one line.
  const compact = text.replace(/\[\s+([^[\]{}]*?)\s+\]/g, (_, list) => `[${list.replace(/\s+/g, ' ')}]`);
  writeFileSync(`${RESULTS}.tmp`, `${compact}\n`);
  renameSync(`${RESULTS}.tmp`, RESULTS);
}

/** The folder that a run is kept in. */
const keptIn = (task, method, seed) => join(resolve(values.keep), task.name, `${method}-${seed}`);

/** One run in its own process: the `start` and `result` events. */
async function train(task, method, seed) {
  const data = task.arguments.map((argument) => argument.replace('DATA', resolve(values.data)));
  const [name, ...flags] = VARIANTS[method] ?? [method];
  const options = ['--target-classes', task.targetClasses, '--method', name, ...flags, '--seed', String(seed)];
  const out = values.keep ? ['--out', keptIn(task, method, seed), '--checkpoint-every', '0'] : [];
  if (values.keep) rmSync(keptIn(task, method, seed), { recursive: true, force: true });
  return await padagrad(['train', ...data, ...options, ...out], `${task.name}, ${method}, seed ${seed}`);
}

const isRecorded = (task, method, seed) =>
  task.methods[method]?.runs.some((run) => run.seed === seed) &&
  (!values.keep || existsSync(join(keptIn(task, method, seed), 'model.safetensors')));

/** The points of target accuracy that each criterion of `padagrad select` loses against the best of the kept seeds. */
async function select(task, method) {
  const kept = listed(values.seeds).map((seed) => keptIn(task, method, seed));
  const { result } = await padagrad(['select', ...kept], `${task.name}, ${method}, selection`);
  const loses = Object.entries(result.picks).map(([criterion, pick]) => [criterion, pick && round(pick.loses, 2)]);
  task.selection = { ...task.selection, [method]: { runs: kept.length, loses: Object.fromEntries(loses) } };
  save(tasks);
}

/** Runs a command with --json, and returns its last event of each kind. */
async function padagrad(words, what) {
  const child = spawn(process.execPath, [CLI, ...words, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise((done) => child.on('close', done));
  const events = {};
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    events[event.event] = event;
  }
  const code = await exit;
  if (code !== 0) throw new Error(`adaptation: ${what}: exit code ${code}`);
  return events;
}

const commit = execFileSync('git', ['rev-parse', '--short=7', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
const date = new Date().toISOString().slice(0, 10);
const tasks = load();
const chosen = tasks.filter(({ name }) => listed(values.tasks).includes(name));
if (values.fresh) for (const task of chosen) for (const method of listed(values.methods)) delete task.methods[method];
const missing = chosen.flatMap((task) =>
  listed(values.methods).flatMap((method) =>
    listed(values.seeds)
      .map(Number)
      .filter((seed) => !isRecorded(task, method, seed))
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
  const others = task.methods[method]?.runs.filter((one) => one.seed !== seed) ?? [];
  const all = [...others, run].sort((a, b) => a.seed - b.seed);
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
if (values.keep && listed(values.seeds).length > 1)
  for (const task of chosen) for (const method of listed(values.methods)) await select(task, method);
