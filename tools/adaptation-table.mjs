// Measures the adaptation table: three tasks, three methods, several seeds, each run by the command line in a process of
// its own. Every run is kept in docs/figures/adaptation.json as soon as it is done, so a broken measurement goes on where
// it stopped. Renders the README's table out of that file.
//
//   node tools/adaptation-table.mjs [--data DIR] [--tasks a,b] [--methods a,b] [--seeds 0,1,2] [--iterations N] [--fresh]
//   node tools/adaptation-table.mjs --render     write the table into README.md
//   node tools/adaptation-table.mjs --check      fail unless README.md has the table that the file gives
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLI = join(ROOT, '.build/cli/padagrad.mjs');
const BEGIN = '<!-- adaptation table: written by tools/adaptation-table.mjs -->';
const END = '<!-- end of adaptation table -->';
const METHODS = { 'source-only': 'source only', dann: 'DANN', pada: '**PADA**' };

// `reference` is PyTorch 1.13 with TLlib, three seeds: [mean, deviation].
const usps = (split) => `idx:DATA/usps28-${split}`;
const TASKS = [
  {
    name: 'mnist-usps',
    title: 'MNIST -> USPS 0-4',
    arguments: [
      '--source',
      'mnist',
      '--source-limit',
      '6000',
      '--target',
      usps('train'),
      '--target-test',
      usps('test'),
    ],
    reference: { 'source-only': [57.4, 10.4], dann: [62.0, 3.7], pada: [93.6, 1.0] },
  },
  {
    name: 'usps-mnist',
    title: 'USPS -> MNIST 0-4',
    arguments: [
      '--source',
      usps('train'),
      '--source-test',
      usps('test'),
      '--target',
      'mnist',
      '--target-limit',
      '6000',
    ],
    reference: { 'source-only': [70.2, 4.4], dann: [63.5, 6.3], pada: [93.0, 3.8] },
  },
  {
    name: 'fontdigits-mnist',
    title: 'printed digits -> MNIST 0-4',
    arguments: ['--source', 'fontdigits', '--source-limit', '6000', '--target', 'mnist', '--target-limit', '6000'],
    reference: { 'source-only': [90.7, 0.4], dann: [68.6, 2.7], pada: [95.7, 3.6] },
  },
];

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: join(ROOT, '../shared/data') },
    tasks: { type: 'string', default: TASKS.map(({ name }) => name).join() },
    methods: { type: 'string', default: Object.keys(METHODS).join() },
    seeds: { type: 'string', default: '0,1,2' },
    iterations: { type: 'string', default: '1500' },
    fresh: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    results: { type: 'string', default: join(ROOT, 'docs/figures/adaptation.json') },
    readme: { type: 'string', default: join(ROOT, 'README.md') },
  },
});

const say = (text) => process.stderr.write(`${text}\n`);
const stop = (text) => {
  say(`adaptation-table: ${text}`);
  process.exit(1);
};

const mean = (list) => list.reduce((sum, x) => sum + x, 0) / list.length;
const deviation = (list) =>
  list.length < 2 ? null : Math.sqrt(list.reduce((sum, x) => sum + (x - mean(list)) ** 2, 0) / (list.length - 1));
const round = (x, digits) => (x === null ? null : Number(x.toFixed(digits)));

/** The file's content, with a place for every task. */
function load() {
  const iterations = Number(values.iterations);
  const kept = existsSync(values.results)
    ? JSON.parse(readFileSync(values.results, 'utf8'))
    : { iterations, tasks: [] };
  const empty = values.fresh || kept.tasks.every((task) => Object.keys(task.methods).length === 0);
  if (!empty && kept.iterations !== iterations && !values.render && !values.check) {
    stop(`${values.results} has runs of ${kept.iterations} iterations; --fresh drops them`);
  }
  return {
    iterations: empty ? iterations : kept.iterations,
    tasks: TASKS.map((task) => ({
      ...task,
      methods: (!values.fresh && kept.tasks.find(({ name }) => name === task.name)?.methods) || {},
    })),
  };
}

function save(results) {
  const temporary = `${values.results}.${process.pid}.tmp`;
  // Numbers of an array stay on one line: the file is read by people too.
  const text = JSON.stringify(results, null, 2).replace(
    /\[\s+([^[\]{}]*?)\s+\]/g,
    (_, list) => `[${list.replace(/\s+/g, ' ')}]`,
  );
  writeFileSync(temporary, `${text}\n`);
  renameSync(temporary, values.results);
}

/** One run in a process of its own; its result event. */
async function run(task, method, seed) {
  const data = task.arguments.map((argument) => argument.replace('DATA', resolve(values.data)));
  const args = [
    CLI,
    'train',
    ...data,
    '--target-classes',
    '0-4',
    '--method',
    method,
    '--seed',
    String(seed),
    '--iterations',
    values.iterations,
    '--json',
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise((done) => child.on('close', done));
  const events = {};
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    events[event.event] = event;
  }
  const code = await exit;
  if (code !== 0) stop(`${task.name} ${method} seed ${seed} ended with exit code ${code}`);
  const { result, start } = events;
  return {
    seed,
    targetAccuracy: round(result.targetAccuracy, 2),
    sourceAccuracy: round(result.sourceAccuracy, 2),
    classWeight: result.classWeight.map((weight) => round(weight, 4)),
    device: start.device.device || start.device.description,
  };
}

async function measure() {
  if (!existsSync(CLI)) stop(`${CLI} is missing; run \`node build.mjs programs\``);
  const results = load();
  save(results);
  const listed = (text) => text.split(',').filter(Boolean);
  const seeds = listed(values.seeds).map(Number);
  for (const task of results.tasks.filter(({ name }) => listed(values.tasks).includes(name))) {
    for (const method of listed(values.methods)) {
      for (const seed of seeds) {
        const runs = task.methods[method]?.runs ?? [];
        if (runs.some((one) => one.seed === seed)) continue;
        say(`\n${task.title}, ${method}, seed ${seed}`);
        const all = [...runs, await run(task, method, seed)].sort((a, b) => a.seed - b.seed);
        const accuracies = all.map((one) => one.targetAccuracy);
        task.methods[method] = {
          mean: round(mean(accuracies), 2),
          deviation: round(deviation(accuracies), 2),
          runs: all,
        };
        save(results);
      }
    }
  }
  say(`\n${table(results)}`);
}

/** The table in Markdown: accuracy on the target's test images, mean (deviation). */
function table({ tasks, iterations }) {
  const show = (center, spread) =>
    center === undefined ? '-' : spread == null ? center.toFixed(1) : `${center.toFixed(1)} (${spread.toFixed(1)})`;
  const bold = (text, method) => (method === 'pada' ? `**${text}**` : text);
  const row = (label, cells) => `| ${label} | ${cells.join(' | ')} |`;
  const ours = Object.entries(METHODS).map(([method, label]) =>
    row(
      label,
      tasks.map(({ methods }) => bold(show(methods[method]?.mean, methods[method]?.deviation), method)),
    ),
  );
  const theirs = Object.entries(METHODS).map(([method, label]) =>
    row(
      `${label.replaceAll('*', '')}, PyTorch with TLlib`,
      tasks.map(({ reference }) => show(...reference[method])),
    ),
  );
  const seeds = Math.max(0, ...tasks.flatMap(({ methods }) => Object.values(methods).map(({ runs }) => runs.length)));
  const head = row(
    `target accuracy in %, mean of ${seeds} seeds (deviation)`,
    tasks.map(({ title }) => title.replace('->', '→')),
  );
  return [
    head,
    `|---|${tasks.map(() => '---').join('|')}|`,
    ...ours,
    ...theirs,
    '',
    `${iterations.toLocaleString('en-US')} iterations each.`,
  ].join('\n');
}

/** README.md with the table in its place. */
function rendered() {
  const readme = readFileSync(values.readme, 'utf8');
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin)
    stop(`${values.readme} has no place for the table; it stands between the lines\n${BEGIN}\n${END}`);
  return { readme, wanted: `${readme.slice(0, begin + BEGIN.length)}\n\n${table(load())}\n\n${readme.slice(end)}` };
}

if (values.check) {
  const { readme, wanted } = rendered();
  if (readme !== wanted)
    stop(
      `the table in ${values.readme} is not what ${values.results} gives; run \`node tools/adaptation-table.mjs --render\``,
    );
} else if (values.render) {
  writeFileSync(values.readme, rendered().wanted);
} else {
  await measure();
}
