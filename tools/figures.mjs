// Writes the measured tables of the documents from the recordings in docs/figures, so that no number is typed by hand.
//
//   node tools/figures.mjs            rewrites the tables
//   node tools/figures.mjs --check    fails if a document has another table than its recording gives
//
// A table stands between `<!-- figures: NAME -->` and `<!-- end of figures -->`; TABLES has a function for each NAME.
// Each table ends with a line that says when, where and by which command it was recorded. The recordings:
//
//   bench.json       npm run bench -- --only matmul,conv2d,softmax-column-mean,cnn,pada,ladder-matmul --json docs/figures/bench.json
//   peers.json       npm run bench:peers
//   kernels.json     npm run gpu-compile -- --model (what compilers make of the kernels; it has no table)
//   model.json       npm run bench -- --model --json docs/figures/model.json
//   adaptation.json  node tools/adaptation.mjs
//   terminal.json    node tools/pictures/terminal.mjs (the text of the picture; it has no table)
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { resultCells } from './results.mjs';

const DOCUMENTS = ['README.md', ...['docs', 'docs/log'].flatMap(markdownIn)];
const MARKED = /<!-- figures: (\S+) -->\n.*?<!-- end of figures -->/gs;

// Titles of the methods in tables. A table shows those that are recorded.
const METHODS = [
  ['source-only', 'no adaptation'],
  ['dann', 'DANN'],
  ['iwan', 'IWAN'],
  ['afn', 'AFN'],
  ['mcc', 'MCC'],
  ['ba3us', 'BA3US'],
  ['pada', 'PADA'],
  ['self-training', 'self-training'],
];
// Methods that more than three seeds are recorded of.
const SEEDS = { 'self-training': 5 };
// Self-training with other options, and the tasks with a canonical geometry that they are recorded on.
const VARIANTS = [
  ['self-training', 'as by default'],
  ['self-training-long', '1,500 iterations'],
  ['self-training-as-is', 'no geometry'],
];
const COLOUR = [
  ['source-only', 'no adaptation'],
  ['source-only-jitter', 'no adaptation, jitter of the source'],
  ['dann', 'DANN'],
  ['pada', 'PADA'],
  ['pada-jitter', 'PADA, jitter of the source'],
  ['self-training', 'self-training'],
];
const CRITERIA = [
  ['agreement-entropy', 'agreement, then entropy (default)'],
  ['agreement', 'agreement'],
  ['entropy', 'entropy'],
  ['information-maximisation', 'information maximisation'],
  ['snd', 'soft neighbourhood density'],
  ['dev', 'DEV'],
  ['source-accuracy', 'source accuracy'],
];
// The main job and its two relatives, whose figures come from TLlib.
const MAIN = ['mnist-usps', 'usps-mnist', 'print-mnist'];
// The tasks of an earlier recording, seed by seed.
const EARLIER = ['mnist-usps', 'usps-mnist', 'fontdigits-mnist'];
const PEERS = { 'jax-js': 'jax-js 0.1.25', 'tfjs-webgpu': 'tfjs-webgpu 4.22', 'ort-web': 'onnxruntime-web 1.30' };
const TASKS = {
  'softmax-column-mean': 'softmax + column mean',
  'cnn-forward': 'CNN forward',
  'cnn-step': 'CNN training step',
};
const TABLES = {
  results: () => {
    const { header, lines } = resultCells();
    return table(header, lines);
  },
  adaptation: () => {
    const tasks = tasksOf(MAIN);
    const shown = (method, { mean, deviation }) =>
      method === 'pada' ? `**${spread(mean, deviation)}**` : spread(mean, deviation);
    const ours = METHODS.filter(([method]) => tasks.every(({ methods }) => methods[method])).map(([method, name]) => [
      method === 'pada' ? `**${name}**` : name,
      ...tasks.map(({ methods }) => shown(method, methods[method])),
    ]);
    const pytorch = METHODS.filter(([method]) => tasks.every(({ reference }) => reference[method])).map(
      ([method, name]) => [`${name}, PyTorch`, ...tasks.map(({ reference }) => spread(...reference[method]))],
    );
    const source = ['pada', 'self-training'].map((method) => [
      `source accuracy, ${method === 'pada' ? 'PADA' : method}`,
      ...tasks.map((task) => sourceAccuracy(task, method) ?? '–'),
    ]);
    const header = ['target accuracy in %, mean (deviation)', ...tasks.map(titleOf)];
    return `${table(header, [...ours, ...pytorch, ...source])}\n\n${recordedBy(tasks)}`;
  },

  'adaptation-of-start': () => {
    const { methods } = tasksOf(['fontdigits-mnist'])[0];
    const of = (method) => `${methods[method].mean.toFixed(1)} %`;
    const header = [
      'accuracy on handwritten 0-4, mean of 3 seeds or more',
      'no adaptation',
      'DANN',
      '**PADA**',
      'self-training',
    ];
    const row = ['font digits → MNIST', of('source-only'), of('dann'), `**${of('pada')}**`, of('self-training')];
    return table(header, [row]);
  },

  'adaptation-tasks': () =>
    taskTable(({ methods }, method) => methods[method] && spreadOf(methods[method], SEEDS[method])),

  'adaptation-tasks-source': () => taskTable(sourceAccuracy),

  'adaptation-variants': () => {
    const tasks = allTasks().filter(({ methods }) => methods['self-training-long'] || methods['self-training-as-is']);
    const rows = tasks.map((task) => [
      titleOf(task),
      ...VARIANTS.map(([method]) => (task.methods[method] ? spreadOf(task.methods[method], SEEDS[method]) : '–')),
    ]);
    return table(['task', ...VARIANTS.map(([, name]) => name)], rows);
  },

  'adaptation-colour': () => {
    const [{ methods, reference }] = tasksOf(['emoji']);
    const rows = COLOUR.filter(([method]) => methods[method] ?? reference[method]).map(([method, name]) => [
      name,
      methods[method] ? spreadOf(methods[method]) : '–',
      reference[method] ? spread(...reference[method]) : '–',
    ]);
    return table(['emoji, Twemoji → Noto', 'target accuracy', 'in PyTorch'], rows);
  },

  'adaptation-selection': () => {
    const tasks = allTasks().filter(({ selection }) => selection);
    const lost = CRITERIA.map(([criterion, name]) => {
      const each = tasks.map(({ selection }) => selection['self-training'].loses[criterion]);
      return [name, each.filter((points) => points <= 1).length, Math.max(...each)];
    });
    const rows = lost.map(([name, close, most]) => [name, `${close} of ${tasks.length}`, most.toFixed(1)]);
    return table(['criterion', 'tasks on which it loses at most 1 point', 'most points lost'], rows);
  },

  'adaptation-tasks-pytorch': () =>
    taskTable(({ reference }, method) => reference[method] && spread(...reference[method])),

  'adaptation-tasks-recorded': () => recordedBy(allTasks()),

  'adaptation-recordings': () => {
    const before = read('adaptation-earlier.json');
    const tasks = tasksOf(EARLIER);
    const rows = tasks.flatMap((task) => {
      const earlier = before.tasks.find(({ name }) => name === task.name);
      return METHODS.filter(([method]) => earlier.methods[method]).map(([method, name]) => {
        const [a, b] = [earlier, task].map(({ methods }) => methods[method]);
        return [titleOf(task), name, ...[a, b].map((one) => spread(one.mean, one.deviation)), signed(b.mean - a.mean)];
      });
    });
    const header = ['task', 'method', `commit ${before.commit}`, `commit ${commitsOf(tasks)}`, 'difference'];
    return table(header, rows);
  },

  'adaptation-seeds': () => seedTable(tasksOf(EARLIER)),

  'adaptation-failure': () => {
    const tasks = tasksOf(['mnist-usps-5-9']);
    return `${seedTable(tasks)}\n\n${recordedBy(tasks)}`;
  },

  peers: () => peerTable(() => true),

  'peers-of-readme': () => peerTable(({ bench, shape }) => bench === 'cnn-step' || /^1024x1000|^1024x1024/.test(shape)),

  ladder: () => {
    const { rows, ...recording } = read('bench.json');
    const steps = rows.filter(({ bench }) => bench === 'ladder-matmul');
    const [naive] = steps;
    const lines = steps.map((row) => [
      row.kernel.replace(/^\d+ /, ''),
      `${(naive.p5Ms / row.p5Ms).toFixed(1)} x`,
      best(row),
    ]);
    const header = [`matmul ${naive.shape}`, 'speed, naive = 1', 'of the measured peak'];
    return `${table(header, lines)}\n\n${recorded(recording)}`;
  },

  kernels: () => {
    const { rows, ...recording } = read('bench.json');
    const lines = rows
      .filter(({ bench, dispatches }) => !bench.startsWith('ladder') && dispatches === undefined)
      .map((row) => [row.bench, row.shape, best(row), row.gflops === null ? 'copied bytes' : 'multiply-adds']);
    return `${table(['kernel', 'shape', '% of peak', 'of'], lines)}\n\n${recorded(recording)}`;
  },

  model: () => {
    const { devices, counts, date, command } = read('model.json');
    const stepOf = ({ steps }, name) => steps.find(({ step }) => step === name);
    const lines = PREDICTED.map((name) => [name, ...devices.map((device) => predictionOf(stepOf(device, name)))]);
    const origin = `Predicted on ${date} from kernels compiled at commit ${counts.commit}: \`${command}\`.`;
    return `${table(['**prediction**', ...devices.map(({ name }) => name)], lines)}\n\n${origin}`;
  },

  steps: () => {
    const { rows, ...recording } = read('bench.json');
    const lines = rows
      .filter(({ dispatches }) => dispatches !== undefined)
      .map((row) => [
        row.bench,
        row.shape,
        String(row.dispatches),
        String(row.submits),
        `${(row.gpuBytes / 2 ** 20).toFixed(1)} MiB`,
        best(row),
      ]);
    const header = ['step', 'batch', 'dispatches', 'submits', 'GPU memory', '% of peak multiply-adds'];
    return `${table(header, lines)}\n\n${recorded(recording)}`;
  },
};

// Rows of the table of predictions.
const PREDICTED = [
  'cnn-step',
  'pada-step',
  'matmul 256x256x256',
  'matmul 1024x1024x1024',
  'matmul 4096x4096x4096',
  'conv2d 64x32x12x12*64x32x5x5',
  'conv2d 64x64x56x56*64x64x3x3p1',
  'softmax-column-mean 1024x1000',
];

/** A predicted time, with the percent of the peak if operations are counted, and the term that takes the most of it. */
function predictionOf({ us, percentOfPeak, byTerm }) {
  const [term] = Object.entries(byTerm).reduce((a, b) => (b[1] > a[1] ? b : a));
  const time = us < 1000 ? `${Number(us.toPrecision(2))} µs` : `${Number((us / 1000).toPrecision(2))} ms`;
  return `${time}${percentOfPeak === null ? '' : `, ${percentOfPeak.toFixed(0)} %`}, ${term}`;
}

/** Other libraries' times divided by ours, of the rows that `isShown` picks. */
function peerTable(isShown) {
  const { rows, ...recording } = read('peers.json');
  const names = Object.keys(PEERS);
  const tasks = [
    ...new Map(rows.filter(isShown).map(({ bench, shape }) => [`${bench} ${shape}`, { bench, shape }])).values(),
  ];
  const lines = tasks.map(({ bench, shape }) => [
    `${TASKS[bench] ?? bench} ${shape}`,
    ...names.map((name) => {
      const row = rows.find((one) => one.peer === name && one.bench === bench && one.shape === shape);
      return row?.ratio ? `${Number(row.ratio.toPrecision(2))} x` : 'cannot';
    }),
  ]);
  return `${table(['their time / ours', ...names.map((name) => PEERS[name])], lines)}\n\n${recorded(recording)}`;
}

/** Percent of peak of the fast samples (5th percentile): a busy machine slows the others. */
const best = ({ medianMs, p5Ms, percentOfPeak }) => `${((percentOfPeak * medianMs) / p5Ms).toFixed(0)} %`;

/** Says when, where and how a benchmark was recorded. */
function recorded({ date, commit, command, load, device }) {
  const where = device ? ` on ${device.name.replace(/-$/, '')}` : '';
  return `Recorded on ${date} at commit ${commit}${where}, load average ${load.toFixed(1)}: \`${command}\`.`;
}

const allTasks = () => read('adaptation.json').tasks;

const tasksOf = (names) => allTasks().filter(({ name }) => names.includes(name));

/** A row for each task and a column for each method, of those that have a figure. */
function taskTable(figureOf) {
  const columns = METHODS.filter(([method]) => allTasks().some((task) => figureOf(task, method)));
  const tasks = allTasks().filter((task) => columns.some(([method]) => figureOf(task, method)));
  const rows = tasks.map((task) => [titleOf(task), ...columns.map(([method]) => figureOf(task, method) ?? '–')]);
  return table(['task', ...columns.map(([, name]) => name)], rows);
}

function sourceAccuracy({ methods }, method) {
  // A source without a test set has none.
  const accuracies = methods[method]?.runs.map((run) => run.sourceAccuracy).filter((accuracy) => accuracy !== null);
  return accuracies?.length > 0 ? spread(...statistics(accuracies)) : undefined;
}

/** Mean and deviation, with the number of seeds if it is not `usual`. */
const spreadOf = ({ mean, deviation, runs }, usual = 3) =>
  `${spread(mean, deviation)}${runs.length === usual ? '' : `, ${runs.length} ${runs.length === 1 ? 'seed' : 'seeds'}`}`;

function seedTable(tasks) {
  const rows = tasks.flatMap((task) =>
    METHODS.filter(([method]) => task.methods[method]).flatMap(([method, name]) =>
      task.methods[method].runs.map(({ seed, targetAccuracy, sourceAccuracy, classWeight }) => [
        titleOf(task),
        name,
        String(seed),
        targetAccuracy.toFixed(1),
        sourceAccuracy?.toFixed(1) ?? '–',
        classWeight.every((weight) => weight === 1)
          ? 'all 1'
          : classWeight.map((weight) => weight.toFixed(2)).join(' '),
      ]),
    ),
  );
  return table(['task', 'method', 'seed', 'target accuracy', 'source accuracy', 'class weights 0-9'], rows);
}

/** Says when and where tasks were recorded. */
function recordedBy(tasks) {
  const all = tasks.flatMap(({ recordings }) => recordings);
  const valuesOf = (key, list) => [...new Set(list.map((one) => one[key]))].sort();
  const dates = valuesOf('date', all).map((date) => {
    const commits = valuesOf(
      'commit',
      all.filter((one) => one.date === date),
    );
    return `${date} (commit${commits.length > 1 ? 's' : ''} ${commits.join(', ')})`;
  });
  const devices = valuesOf('device', all).map((device) => device.replace(/-$/, ''));
  return `Recorded on ${dates.join(' and ')} on ${devices.join(', ')}: \`node tools/adaptation.mjs\`, ${iterationsOf(tasks)}.`;
}

/** The iterations of a run, such as `1,500 iterations per run, 700 of self-training`. */
function iterationsOf(tasks) {
  const each = new Map();
  for (const { methods } of tasks)
    for (const [method] of METHODS.filter(([method]) => methods[method]))
      each.set(methods[method].iterations, new Set([...(each.get(methods[method].iterations) ?? []), method]));
  const [[most], ...others] = [...each].sort(([, a], [, b]) => b.size - a.size);
  const rest = others.map(([n, methods]) => `, ${n.toLocaleString('en-US')} of ${[...methods].join(' and ')}`);
  return `${most.toLocaleString('en-US')} iterations per run${rest.join('')}`;
}

const commitsOf = (tasks) =>
  [...new Set(tasks.flatMap(({ recordings }) => recordings.map((one) => one.commit)))].join(', ');

/** The recording in docs/figures/`name`. */
function read(name) {
  return JSON.parse(readFileSync(join('docs/figures', name), 'utf8'));
}

function markdownIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
}

const titleOf = ({ title }) => title.replace('->', '→');

function statistics(values) {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return [mean, values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null];
}

const spread = (mean, deviation = null) =>
  `${mean.toFixed(1)}${deviation === null ? '' : ` (${deviation.toFixed(1)})`}`;
const signed = (x) => `${x < 0 ? '-' : '+'}${Math.abs(x).toFixed(1)}`;

const table = (header, rows) =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** A document with every marked table as its recording gives it. */
function rewritten(path) {
  return readFileSync(path, 'utf8').replace(MARKED, (_, name) => {
    if (!Object.hasOwn(TABLES, name)) throw new Error(`${path}: there are no figures called ${name}`);
    return `<!-- figures: ${name} -->\n${TABLES[name]()}\n<!-- end of figures -->`;
  });
}

const stale = DOCUMENTS.filter((path) => rewritten(path) !== readFileSync(path, 'utf8'));
if (process.argv.includes('--check')) {
  for (const path of stale)
    process.stderr.write(`${path}: a table differs from its recording; run \`node tools/figures.mjs\`\n`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const path of stale) writeFileSync(path, rewritten(path));
}
