// Writes the measured tables of the documents from the recordings in docs/figures, so that no number is typed by hand.
//
//   node tools/figures.mjs            rewrites the tables
//   node tools/figures.mjs --check    fails if a document has another table than its recording gives
//
// A table stands between `<!-- figures: NAME -->` and `<!-- end of figures -->`; TABLES has a function for each NAME.
// Each table ends with a line that says when, where and by which command it was recorded.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const DOCUMENTS = ['README.md', ...['docs', 'docs/log'].flatMap(markdownIn)];
const MARKED = /<!-- figures: (\S+) -->\n[^]*?<!-- end of figures -->/g;

const METHODS = { 'source-only': 'no adaptation', dann: 'DANN', pada: '**PADA**' };
const PEERS = { 'jax-js': 'jax-js', 'tfjs-webgpu': 'tfjs-webgpu', 'ort-web': 'onnxruntime-web' };

const TABLES = {
  adaptation: () => {
    const { tasks, ...recording } = read('adaptation.json');
    const shown = (method, { mean, deviation }) =>
      method === 'pada' ? `**${spread(mean, deviation)}**` : spread(mean, deviation);
    const rows = Object.entries(METHODS).map(([method, name]) => [
      name,
      ...tasks.map(({ methods }) => shown(method, methods[method])),
    ]);
    const pytorch = Object.entries(METHODS).map(([method, name]) => [
      `${name.replaceAll('*', '')}, PyTorch with TLlib`,
      ...tasks.map(({ reference }) => spread(...reference[method])),
    ]);
    const source = Object.keys(METHODS).map((method) => [
      `source accuracy, ${METHODS[method].replaceAll('*', '')}`,
      ...tasks.map(({ methods }) => spread(...statistics(methods[method].runs.map((run) => run.sourceAccuracy)))),
    ]);
    const header = [`accuracy in %, mean of ${seedsOf(tasks)} seeds (deviation)`, ...tasks.map(titleOf)];
    return `${table(header, [...rows, ...pytorch, ...source])}\n\n${provenance(recording)}`;
  },

  'adaptation-of-start': () => {
    const task = read('adaptation.json').tasks.find(({ name }) => name === 'fontdigits-mnist');
    const cells = Object.keys(METHODS).map((method) => `${task.methods[method].mean.toFixed(1)} %`);
    const header = [
      `accuracy on handwritten 0-4, mean of ${seedsOf([task])} seeds`,
      ...Object.values(METHODS),
    ];
    return table(header, [[titleOf(task).replace(' 0-4', ''), cells[0], cells[1], `**${cells[2]}**`]]);
  },

  'adaptation-recordings': () => {
    const now = read('adaptation.json');
    const before = read('adaptation-earlier.json');
    const rows = now.tasks.flatMap((task) => {
      const earlier = before.tasks.find(({ name }) => name === task.name);
      return Object.keys(METHODS).map((method) => {
        const [a, b] = [earlier, task].map(({ methods }) => methods[method]);
        return [
          titleOf(task),
          METHODS[method].replaceAll('*', ''),
          spread(a.mean, a.deviation),
          spread(b.mean, b.deviation),
          signed(b.mean - a.mean),
        ];
      });
    });
    const header = ['task', 'method', `commit ${before.commit}`, `commit ${now.commit}`, 'difference'];
    return table(header, rows);
  },

  'adaptation-seeds': () => {
    const { tasks } = read('adaptation.json');
    const rows = tasks.flatMap((task) =>
      Object.keys(METHODS).flatMap((method) =>
        task.methods[method].runs.map(({ seed, targetAccuracy, sourceAccuracy, classWeight }) => [
          titleOf(task),
          METHODS[method].replaceAll('*', ''),
          String(seed),
          targetAccuracy.toFixed(1),
          sourceAccuracy.toFixed(1),
          method === 'pada' ? classWeight.map((weight) => weight.toFixed(2)).join(' ') : 'all 1',
        ]),
      ),
    );
    return table(['task', 'method', 'seed', 'target accuracy', 'source accuracy', 'class weights 0-9'], rows);
  },
};

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

/** One sentence about when and how something was recorded. */
function provenance({ date, commit, device, load, command }) {
  const under = load === undefined ? '' : `, load average ${load.toFixed(1)}`;
  return `Recorded on ${date} at commit ${commit} on ${device}${under}: \`${command}\`.`;
}

const seedsOf = (tasks) =>
  Math.max(...tasks.flatMap(({ methods }) => Object.values(methods).map(({ runs }) => runs.length)));
const titleOf = ({ title }) => title.replace('->', '→');

function statistics(values) {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return [mean, Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1))];
}

const spread = (mean, deviation) => `${mean.toFixed(1)} (${deviation.toFixed(1)})`;
const signed = (x) => `${x < 0 ? '-' : '+'}${Math.abs(x).toFixed(1)}`;

const table = (header, rows) => [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** A document with every marked table as its recording gives it. */
function rewritten(path) {
  return readFileSync(path, 'utf8').replace(MARKED, (_, name) => {
    if (!Object.hasOwn(TABLES, name)) throw new Error(`${path}: there are no figures called ${name}`);
    return `<!-- figures: ${name} -->\n\n${TABLES[name]()}\n\n<!-- end of figures -->`;
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
