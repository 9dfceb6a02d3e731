import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fakeContext } from './fakes.ts';

// `padagrad train` without a GPU: what it asks for, what it prints, what it keeps, how it ends.

const test = suite('train');
const BASE = ['train', '--source', 'fontdigits', '--target', 'mnist', '--target-classes', '0-4'];

let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'padagrad-train-'));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

test('the defaults are those of the main job, and flags are named as in TLlib', async () => {
  const plain = fakeContext();
  assert.is(await plain.run(...BASE), 0);
  const { options } = plain.trials[0]!;
  assert.equal(
    { ...options },
    {
      method: 'pada',
      iterations: 1500,
      batchSize: 64,
      lr: 0.01,
      lrGamma: 0.001,
      lrDecay: 0.75,
      momentum: 0.9,
      weightDecay: 0.001,
      tradeOff: 1,
      temperature: 0.1,
      classWeightUpdateSteps: 100,
      reversalAlpha: 1,
      reversalIterations: 1000,
      seed: 0,
      eager: false,
      float32MatmulPrecision: 'highest',
    },
  );

  const flags = [
    '--method',
    'dann',
    '-i',
    '12',
    '-b',
    '32',
    '--learning-rate',
    '2e-2',
    '--lr-gamma',
    '0.002',
    '--lr-decay',
    '.5',
    '--momentum',
    '0.8',
  ];
  const more = [
    '--wd',
    '0.01',
    '--trade-off',
    '0.5',
    '--temperature',
    '0.2',
    '-u',
    '7',
    '--seed',
    '3',
    '--eager',
    '--float32-matmul-precision',
    'medium',
    '-p',
    '4',
    '--eval-freq',
    '6',
  ];
  const given = fakeContext();
  assert.is(await given.run(...BASE, ...flags, ...more), 0);
  const trial = given.trials[0]!;
  assert.equal(
    { ...trial.options },
    {
      method: 'dann',
      iterations: 12,
      batchSize: 32,
      lr: 0.02,
      lrGamma: 0.002,
      lrDecay: 0.5,
      momentum: 0.8,
      weightDecay: 0.01,
      tradeOff: 0.5,
      temperature: 0.2,
      classWeightUpdateSteps: 7,
      reversalAlpha: 1,
      reversalIterations: 1000,
      seed: 3,
      eager: true,
      float32MatmulPrecision: 'medium',
    },
  );
  assert.equal(given.precisions, ['medium']);
  assert.equal([trial.settings.printFreq, trial.settings.evalFreq], [4, 6]);
  for (const alias of [
    ['--weight-decay', '0.01'],
    ['--wd', '0.01'],
  ]) {
    const other = fakeContext();
    await other.run(...BASE, ...alias);
    assert.is(other.trials[0]!.options.weightDecay, 0.01);
  }
});

test('limits come before classes, and tests are filtered as training is', async () => {
  const { run, trials, asked } = fakeContext();
  assert.is(await run(...BASE, '--source-classes', '0,3,7', '--source-limit', '500', '--target-limit', '400'), 0);
  const { data, settings } = trials[0]!;
  assert.equal([data.source.count, data.target.count, data.numClasses], [150, 200, 10]);
  assert.equal([...new Set(data.source.labels)].sort(), [0, 3, 7]);
  assert.equal([...new Set(data.target.images)].sort(), [0, 1, 2, 3, 4]);
  assert.equal([settings.sourceTest?.count, settings.targetTest?.count], [60, 100]);
  assert.equal(asked.sort(), ['fontdigits test', 'fontdigits train', 'mnist test', 'mnist train']);
});

test('a target without labels is trained on and not tested', async () => {
  const { run, trials, stdout } = fakeContext();
  assert.is(await run('train', '--source', 'mnist', '--target', 'idx:bare', '--iterations', '10', '--json'), 0);
  assert.is(trials[0]!.settings.targetTest, undefined);
  const result = stdout.events.at(-1);
  assert.equal([result.event, result.targetAccuracy, result.sourceAccuracy], ['result', null, 99]);

  const named = fakeContext();
  assert.is(
    await named.run(
      'train',
      '--source',
      'mnist',
      '--target',
      'idx:bare',
      '--target-test',
      'mnist',
      '--iterations',
      '10',
    ),
    0,
  );
  assert.is(named.trials[0]!.settings.targetTest?.count, 200);
});

test('plain lines where stdout is no terminal', async () => {
  const { run, stdout, stderr, counts } = fakeContext();
  assert.is(await run(...BASE, '--iterations', '200'), 0);
  const text = stdout.text;
  assert.not.match(text, '\u001b');
  assert.ok(
    text.startsWith(
      'PADA, seed 0\n  from  fontdigits (1,000 labelled images)\n  to    mnist classes 0-4 (500 unlabelled images)\n  on    llvmpipe (software)\n  for   200 iterations of 64 + 64 images, 12,345 parameters\n',
    ),
    text,
  );
  assert.match(text, 'iteration  50/200  loss 0.750  class 87.5 %  domain 62.5 %  92 ms/iteration  14 s left');
  assert.match(
    text,
    'class weights after 100 iterations: 0:1.00 1:1.00 2:1.00 3:1.00 4:1.00 | absent 5:0.01 6:0.01 7:0.01 8:0.01 9:0.01 (5.1 effective classes',
  );
  assert.match(text, 'target accuracy 90.0 % on 100 test images (oracle: training never sees this)');
  assert.is(stdout.lines.filter((line) => line.startsWith('iteration ')).length, 4);
  assert.is(stderr.text, '');
  assert.equal(counts(), { gpus: 0, opened: 1, disposed: 1 });
});

test('a live line and bars on a terminal', async () => {
  const { run, stdout, trials } = fakeContext({ tty: true });
  assert.is(await run(...BASE, '--iterations', '100'), 0);
  assert.is(trials[0]!.settings.printFreq, 10);
  assert.match(stdout.text, '\u001b[');
  assert.match(stripVTControlCharacters(stdout.text), /█[▉-▏]? +10\/100/);
  const bars = stdout.lines.filter((line) => / {2}(shared|absent)/.test(stripVTControlCharacters(line)));
  assert.is(bars.length, 10);
  assert.match(bars[0]!, '█'.repeat(32));
  assert.match(bars[9]!, '0.010');
});

test('the report has accuracy by class and the confusion matrix', async () => {
  const { run, stdout } = fakeContext();
  await run(...BASE, '--iterations', '10');
  const table = stdout.lines.slice(stdout.lines.findIndex((line) => line.includes('class') && line.includes('as 9')));
  assert.match(table[0]!, /class\s+accuracy\s+images\s+as 0\s+as 1/);
  assert.equal(
    table.slice(1, 6).map((row) => row.trim().split(/\s+/)),
    [0, 1, 2, 3, 4].map((c) => [
      String(c),
      '90.0',
      '%',
      '20',
      ...Array.from({ length: 10 }, (_, p) => (p === c ? '20' : '.')),
    ]),
  );
});

test('evaluations on the way are marked as oracle, by class if asked', async () => {
  const { run, stdout } = fakeContext();
  await run(...BASE, '--iterations', '100', '--eval-freq', '50', '--per-class-eval');
  assert.match(stdout.text, 'after 50 iterations: target 90.0 % (oracle: training never sees this), source 99.0 %');
  assert.match(stdout.text, 'target by class: 0: 90.0  1: 90.0  2: 90.0  3: 90.0  4: 90.0\n');
});

test('--json prints JSON alone on stdout, and people read stderr', async () => {
  const { run, stdout, stderr } = fakeContext();
  assert.is(await run(...BASE, '--iterations', '100', '--json'), 0);
  const { events } = stdout;
  assert.equal(
    events.map(({ event }) => event),
    ['start', 'progress', 'progress', 'classWeight', 'evaluation', 'result'],
  );
  const [start, progress] = events;
  assert.equal(
    [start.task.targetClasses, start.options.iterations, start.device.device, start.sourceCount],
    [[0, 1, 2, 3, 4], 100, 'llvmpipe', 1000],
  );
  assert.equal([progress.iteration, progress.iterations, progress.classLoss], [49, 100, 0.5]);
  const result = events.at(-1);
  assert.equal(
    [result.targetAccuracy, result.sourceAccuracy, result.secondsPerIteration, result.iterations, result.aborted],
    [90, 99, 0.0921, 100, false],
  );
  assert.is(result.classWeight.length, 10);
  assert.match(stderr.text, 'target accuracy 90.0 %');
});

test('source-only has no domain accuracy: null, not NaN', async () => {
  const { run, stdout, stderr } = fakeContext();
  await run(...BASE, '--iterations', '50', '--method', 'source-only', '--json');
  assert.is(stdout.events.find(({ event }) => event === 'progress').domainAccuracy, null);
  assert.match(stderr.text, 'domain -');
});

test('--seeds runs each and reports mean and sample deviation', async () => {
  const { run, stdout, stderr, trials } = fakeContext({ targetAccuracy: ({ seed }) => [90, 92, 97][seed]! });
  assert.is(await run(...BASE, '--iterations', '10', '--seeds', '0,1,2', '--json', '--out', folder), 0);
  assert.equal(
    trials.map(({ options }) => options.seed),
    [0, 1, 2],
  );
  const { events } = stdout;
  assert.is(events.filter(({ event }) => event === 'run').length, 3);
  const result = events.at(-1);
  assert.is(result.event, 'result');
  assert.ok(Math.abs(result.targetAccuracy - 93) < 1e-9);
  assert.ok(Math.abs(result.targetDeviation - Math.sqrt(13)) < 1e-9);
  assert.equal(
    result.runs.map((one: { targetAccuracy: number }) => one.targetAccuracy),
    [90, 92, 97],
  );
  assert.match(stderr.text, 'PADA, seeds 0, 1, 2: target accuracy 93.0 (3.6) (90.0, 92.0, 97.0)');
  assert.equal(readdirSync(folder).sort(), ['seed-0', 'seed-1', 'seed-2']);
});

test('--out keeps config, metrics and model, and says so when it replaces a run', async () => {
  const out = join(folder, 'deep', 'run');
  const first = fakeContext();
  assert.is(await first.run(...BASE, '--iterations', '120', '--out', out), 0);
  assert.equal(readdirSync(out).sort(), [
    'checkpoint-100.safetensors',
    'config.json',
    'metrics.jsonl',
    'model.safetensors',
  ]);
  const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
  assert.equal(
    [config.options.iterations, config.task.source, config.device.gemmFamily],
    [120, 'fontdigits', 'subgroup'],
  );
  const rows = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const iterations = rows.filter(({ event }) => event === 'iteration');
  assert.equal(
    iterations.map(({ iteration }) => iteration),
    Array.from({ length: 120 }, (_, i) => i),
  );
  assert.equal(
    rows.filter(({ event }) => event !== 'iteration').map(({ event }) => event),
    ['classWeight', 'evaluation', 'result'],
  );
  assert.equal([...readFileSync(join(out, 'model.safetensors'))], [1, 2, 3]);

  const second = fakeContext();
  await second.run(...BASE, '--iterations', '10', '--out', out);
  assert.match(second.stdout.text, `${out} holds an earlier run, which this one replaces`);
  assert.is(readFileSync(join(out, 'metrics.jsonl'), 'utf8').split('"iteration"').length - 1, 20 + 1);
});

test('an interruption says what was reached, keeps the model and exits with the signal', async () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const out = join(folder, signal);
    const { run, stdout, trials, counts } = fakeContext({ interruptAt: { iteration: 70, signal } });
    assert.is(await run(...BASE, '--iterations', '200', '--seeds', '0,1', '--out', out), code);
    assert.is(trials.length, 1);
    assert.match(
      stdout.text,
      'stopping, then testing what was reached; once more ends it at once\nstopped after 70 of 200 iterations',
    );
    assert.match(stdout.text, 'target accuracy 90.0 %');
    assert.is(stdout.text.split('oracle').length - 1, 1, 'said once');
    assert.ok(existsSync(join(out, 'seed-0', 'model.safetensors')));
    assert.equal(counts(), { gpus: 0, opened: 1, disposed: 1 });
  }
});

test('what fails while running exits with 1', async () => {
  const { run, stderr } = fakeContext({ openGpu: () => Promise.reject(new Error('the driver is gone')) });
  assert.is(await run(...BASE), 1);
  assert.is(stderr.text, 'padagrad: the driver is gone\n');
});

test.run();
